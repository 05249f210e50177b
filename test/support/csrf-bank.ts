import { All, Controller, Get, Inject, Post, Req, UseGuards, type MiddlewareConsumer } from '@nestjs/common';
import {
  CsrfExempt,
  CsrfGuard,
  CsrfProtected,
  CsrfService,
  Public,
  SessionAuthService,
  type SessionAuthOptions,
} from 'nestjs-session-auth';
import { openBackend, startBank, type Bank, type BankSetup, type ServerName } from './bank.js';

@Controller('verbs')
export class VerbsController {
  static calls = 0;

  constructor(
    @Inject(CsrfService) private readonly csrf: CsrfService,
    @Inject(SessionAuthService) private readonly auth: SessionAuthService,
  ) {}

  @All('any')
  @CsrfProtected()
  any(): string {
    VerbsController.calls++;
    return 'done';
  }

  @All('deletes')
  @CsrfProtected({ methods: ['DELETE'] })
  deletes(): string {
    return 'done';
  }

  @Post('by-guard')
  @UseGuards(CsrfGuard)
  byGuard(): string {
    return 'done';
  }

  @Post('open')
  open(): string {
    return 'done';
  }

  @Post('verified')
  verified(@Req() request: object): boolean {
    return this.csrf.verify(request);
  }

  @Post('rotate')
  async rotate(@Req() request: object): Promise<void> {
    await this.auth.rotate(request);
  }

  @Public()
  @Get('form')
  form(@Req() request: object): string {
    return `<form method="post">${this.csrf.formField(request)}</form>`;
  }
}

@Controller('walled')
@CsrfProtected()
class WalledController {
  @Post('in')
  inside(): string {
    return 'done';
  }

  @Post('out')
  @CsrfExempt()
  outside(): string {
    return 'done';
  }
}

/** What a multipart middleware of the application leaves behind: an object without a prototype. */
class ParsedMultipartModule {
  configure(consumer: MiddlewareConsumer): void {
    consumer
      .apply((request: { headers: Record<string, unknown>; body?: unknown }, _: unknown, next: () => void) => {
        const field = request.headers['x-parsed-field'];
        if (field !== undefined) request.body = Object.assign(Object.create(null) as object, { csrf_token: field });
        next();
      })
      .forRoutes('walled/in');
  }
}

/** A node of the bank with handlers that are protected in every way there is. */
export async function startCsrfBank(
  adapter: ServerName,
  options: Partial<SessionAuthOptions> = {},
  setup: Partial<BankSetup> = {},
): Promise<Bank> {
  return startBank({
    adapter,
    backend: await openBackend('memory'),
    options,
    module: { controllers: [VerbsController, WalledController], imports: [ParsedMultipartModule] },
    ...setup,
  });
}
