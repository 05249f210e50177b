import { afterEach, describe, expect, it } from '@jest/globals';
import {
  Controller,
  Inject,
  Injectable,
  Post,
  Req,
  UseGuards,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import {
  CsrfExempt,
  CsrfGuard,
  CsrfProtected,
  CsrfService,
  CurrentSession,
  CurrentUser,
  Public,
  RequireFullAuth,
  Roles,
  SessionAuthGuard,
  SessionAuthService,
  type SessionUser,
} from 'nestjs-session-auth';
import { PRE_SESSION_COOKIE, SESSION_COOKIE, type Answer, type BankClient } from '../support/bank-client.js';
import { openBackend, SERVERS, startBank, type Bank } from '../support/bank.js';

/** A guard of the application's own, which only wants to know who asks: failures are none of its business. */
@Injectable()
class CuriousGuard implements CanActivate {
  constructor(@Inject(SessionAuthService) private readonly auth: SessionAuthService) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    await this.auth.current(context.switchToHttp().getRequest()).catch(() => undefined);
    return true;
  }
}

@Controller('orders')
class OrdersController {
  static readonly users: unknown[] = [];

  constructor(
    @Inject(SessionAuthService) private readonly auth: SessionAuthService,
    @Inject(CsrfService) private readonly csrf: CsrfService,
  ) {}

  @UseGuards(SessionAuthGuard, CsrfGuard)
  @Post('session-first')
  sessionFirst(@CurrentSession('userId') userId: string): void {
    OrdersController.users.push(userId);
  }

  @UseGuards(CsrfGuard, SessionAuthGuard)
  @Post('token-first')
  tokenFirst(@CurrentSession('userId') userId: string): void {
    OrdersController.users.push(userId);
  }

  @UseGuards(CsrfGuard)
  @Roles('customer')
  @Post('role')
  role(@CurrentSession('userId') userId: string): void {
    OrdersController.users.push(userId);
  }

  @Public()
  @CsrfProtected()
  @Post('session-in-handler')
  sessionInHandler(@CurrentSession('userId') userId: string | undefined): void {
    OrdersController.users.push(userId);
  }

  @Public()
  @CsrfProtected()
  @Post('user-in-handler')
  userInHandler(@CurrentUser() { id }: SessionUser): void {
    OrdersController.users.push(id);
  }

  @Public()
  @Post('verified-by-hand')
  async verifiedByHand(@Req() request: object): Promise<void> {
    if (!this.csrf.verify(request)) return;
    OrdersController.users.push((await this.auth.current(request))?.userId);
  }

  @UseGuards(CsrfGuard, CuriousGuard, SessionAuthGuard)
  @Post('asked-twice')
  askedTwice(@CurrentSession('userId') userId: string): void {
    OrdersController.users.push(userId);
  }

  @Public()
  @UseGuards(CsrfGuard, CuriousGuard)
  @Post('ensured-in-handler')
  async ensuredInHandler(@Req() request: object): Promise<void> {
    OrdersController.users.push((await this.auth.ensureSession(request)).userId);
  }

  @RequireFullAuth()
  @CsrfExempt()
  @Post('exempt')
  exempt(): void {}
}

const DOORS = [
  'session-first',
  'token-first',
  'role',
  'session-in-handler',
  'user-in-handler',
  'verified-by-hand',
  'asked-twice',
  'ensured-in-handler',
];

describe.each(SERVERS)('a pre-session CSRF token and a remembered device on %s', (adapter) => {
  let bank: Bank;
  let alice: BankClient;

  afterEach(() => bank.close());

  /** Alice's browser, remembered but without a session, with a pre-session that the attacker has put there. */
  const start = async (global: boolean): Promise<string> => {
    OrdersController.users.length = 0;
    const options = { csrf: { global }, global };
    bank = await startBank({
      adapter,
      backend: await openBackend('memory'),
      options,
      module: { controllers: [OrdersController] },
    });
    alice = bank.client();
    const attacker = bank.client();
    const csrf = await attacker.csrfToken();
    await alice.login('alice', { rememberMe: true });
    alice.restart();
    alice.cookies.set(PRE_SESSION_COOKIE, attacker.cookies.get(PRE_SESSION_COOKIE)!);
    bank.events.length = 0;
    return csrf;
  };

  it.each([true, false].flatMap((global) => DOORS.map((door) => ({ global, door }))))(
    'exclude each other, in any order of guards and handler: $door, global: $global',
    async ({ global, door }) => {
      const csrf = await start(global);
      const answer: Answer = await alice.post(`/orders/${door}`, {}, { csrf });
      expect(answer).toMatchObject({ status: 403, json: { code: 'csrf_failed' } });
      expect(OrdersController.users).toEqual([]);
      expect(bank.events.at(-1)).toMatchObject({ type: 'csrf.rejected', reason: 'no_cookie' });
      // signed in by its first request, as ever, and with a token of that session all is well
      expect(alice.cookies.has(SESSION_COOKIE)).toBe(true);
      expect((await alice.post(`/orders/${door}`, {})).status).toBe(201);
      expect(OrdersController.users).toEqual(['alice']);
    },
  );

  it('are no hindrance to a login, which signs nobody in by the device', async () => {
    const csrf = await start(false);
    const body = { email: 'bob@example.com', password: 'bob-demo-password' };
    expect((await alice.post('/auth/login', body, { csrf })).status).toBe(200);
    expect((await alice.get('/api/me')).json).toMatchObject({ userId: 'bob' });
  });
});
