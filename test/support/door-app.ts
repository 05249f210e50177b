import { type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { expect } from '@jest/globals';
import {
  Controller,
  Get,
  Inject,
  Injectable,
  Module,
  Post,
  Req,
  UseGuards,
  type DynamicModule,
  type INestApplication,
  type LoggerService,
  type ModuleMetadata,
  type NestApplicationOptions,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  CsrfProtected,
  CurrentSession,
  CurrentUser,
  Public,
  RequireRecentAuth,
  Roles,
  SessionAuthGuard,
  SessionAuthModule,
  SessionAuthService,
  SessionUserProvider,
  type SessionAuthExtras,
  type SessionAuthOptions,
  type SessionUser,
} from 'nestjs-session-auth';
import { BankClient, type Answer, type send } from './bank-client.js';
import { makeServer, senderFor, type ServerName } from './http-server.js';

export const SECRETS = ['a test secret that everybody may know, 1'];
const ALICE: SessionUser = { id: 'alice', email: 'alice@example.com', roles: ['customer'] };
const PASSWORDS = { cost: 4 };

/** Users who know Alice only. */
@Injectable()
export class Users implements SessionUserProvider {
  findByEmail(email: string): Promise<SessionUser | undefined> {
    return Promise.resolve(email === ALICE.email ? ALICE : undefined);
  }

  findById(id: string): Promise<SessionUser | undefined> {
    return Promise.resolve(id === ALICE.id ? ALICE : undefined);
  }
}

@Module({ providers: [Users], exports: [Users] })
export class UsersModule {}

/** A door for every kind of guard. */
@Controller()
export class DoorController {
  constructor(@Inject(SessionAuthService) private readonly auth: SessionAuthService) {}

  // a GET, so that it asks for no CSRF token
  @Public()
  @Get('enter')
  async enter(@Req() request: object): Promise<void> {
    await this.auth.loginUser(request, ALICE);
  }

  @Public()
  @Get('enter-remembered')
  async enterRemembered(@Req() request: object): Promise<void> {
    await this.auth.loginUser(request, ALICE, 'custom', { rememberMe: true });
  }

  @Public()
  @Get('open')
  open(@CurrentSession('userId') userId: string | undefined): object {
    return { userId };
  }

  @Get('unmarked')
  unmarked(): object {
    return {};
  }

  @UseGuards(SessionAuthGuard)
  @Get('guarded')
  guarded(@CurrentSession('userId') userId: string): object {
    return { userId };
  }

  @Roles('admin')
  @Get('admin')
  admin(): object {
    return {};
  }

  @RequireRecentAuth(0)
  @Get('recent')
  recent(): object {
    return {};
  }

  @Get('user')
  user(@CurrentUser() { id }: SessionUser): object {
    return { id };
  }

  @CsrfProtected()
  @Post('protected')
  protected(): object {
    return {};
  }

  @Get('broken')
  broken(): never {
    throw new Error('a defect of the application');
  }
}

export type Options = SessionAuthOptions & SessionAuthExtras;
export const options = (given: Partial<Options> = {}): Options => ({
  secrets: SECRETS,
  passwords: PASSWORDS,
  ...given,
});
export const forRoot = (given?: Partial<Options>): DynamicModule => SessionAuthModule.forRoot(options(given));

/** How an application differs from the plainest. */
export interface Setup {
  readonly adapter?: ServerName;
  readonly module?: ModuleMetadata;
  readonly nest?: NestApplicationOptions;
  readonly configure?: (app: INestApplication) => void;
}

@Module({})
class AppModule {}

/** What runs at present. */
export const apps: INestApplication[] = [];
/** Every line that Nest's logger was given. */
export const log: { readonly level: string; readonly text: string }[] = [];
export const logger: LoggerService = Object.fromEntries(
  ['log', 'error', 'warn', 'debug', 'verbose', 'fatal'].map((level) => [
    level,
    (...parts: unknown[]) => void log.push({ level, text: parts.map(String).join(' ') }),
  ]),
) as unknown as LoggerService;

/** For `afterEach`: closes what runs and forgets what was logged. */
export async function closeApps(): Promise<void> {
  for (const app of apps.splice(0)) await app.close();
  log.splice(0);
}

/** Lets an application listen on a free port. */
export async function listen(
  app: INestApplication,
  configure?: Setup['configure'],
  sendBy?: typeof send,
): Promise<BankClient> {
  apps.push(app);
  configure?.(app);
  await app.listen(0, '127.0.0.1');
  return new BankClient(((app.getHttpServer() as Server).address() as AddressInfo).port, sendBy);
}

/** A Nest application with our module, on a free port; rejects when it does not boot. */
export async function start(sessions: DynamicModule, setup: Setup = {}): Promise<BankClient> {
  const { adapter = 'express', module = {}, nest = {}, configure } = setup;
  const root: DynamicModule = {
    module: AppModule,
    ...module,
    imports: [sessions, ...(module.imports ?? [])],
    controllers: [DoorController, ...(module.controllers ?? [])],
  };
  const app = await NestFactory.create(root, makeServer(adapter), { ...nest, logger, abortOnError: false });
  return listen(app, configure, senderFor(adapter));
}

/** Keeps strangers out and lets Alice in. */
export async function expectWorking(client: BankClient, prefix = ''): Promise<void> {
  expect((await client.get(`${prefix}/guarded`)).status).toBe(401);
  expect((await client.get(`${prefix}/enter`)).status).toBe(200);
  expect(await client.get(`${prefix}/guarded`)).toMatchObject({ status: 200, json: { userId: 'alice' } });
}

/** An answer of the library's own: status, code, message and nothing else. */
export function expectError({ status, json }: Answer, statusCode: number, code: string): void {
  expect({ status, json }).toEqual({
    status: statusCode,
    json: { statusCode, code, message: expect.any(String), realm: 'default' },
  });
}
