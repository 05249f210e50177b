import { Controller, Get, Inject, Injectable, Module, Post, Req, UseGuards, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { INestApplication } from '@nestjs/common';
import {
  CsrfProtected,
  CurrentSession,
  CurrentUser,
  Realm,
  realmToken,
  SessionAuthGuard,
  SessionAuthModule,
  SessionAuthService,
  type Session,
  type SessionUser,
  type SessionUserProvider,
  type StorageOptions,
} from 'nestjs-session-auth';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Answer, Ask, send } from './bank-client.js';
import { apps, logger, options, type Options } from './door-app.js';
import { makeServer, senderFor, type ServerName } from './http-server.js';

/** The realms of the tests. */
export const REALMS = ['default', 'staff', 'partner'] as const;
export type RealmName = (typeof REALMS)[number];

/** All ordered pairs of two different realms. */
export const PAIRS = REALMS.flatMap((one) =>
  REALMS.filter((other) => other !== one).map((other) => [one, other] as const),
);

/** Where the endpoints of a realm are. */
export const authPath = (realm: RealmName): string => (realm === 'default' ? '/auth' : `/${realm}/auth`);

/** The name of a realm's session cookie. */
export const cookieName = (realm: RealmName): string =>
  realm === 'default' ? '__Host-session' : `__Host-${realm}-session`;

/** All four cookies of a realm. */
export const cookieNames = (realm: RealmName): string[] =>
  ['', '-csrf', '-remember', '-device'].map((end) => cookieName(realm) + end);

/** The same people in every realm, with the same password and a role that names the realm. */
export function usersOf(realm: RealmName): Type<SessionUserProvider> {
  @Injectable()
  class RealmUsers implements SessionUserProvider {
    findByEmail(email: string): Promise<SessionUser | undefined> {
      return this.findById(email.split('@')[0]!);
    }

    findById(id: string): Promise<SessionUser | undefined> {
      const user = { id, email: `${id}@example.com`, roles: [realm], passwordHash: PASSWORD_HASH };
      return Promise.resolve(['alice', 'bob'].includes(id) ? user : undefined);
    }
  }
  return RealmUsers;
}

export const PASSWORD = 'a password for all realms';
/** bcrypt of {@link PASSWORD}, cost 4. */
const PASSWORD_HASH = '$2b$04$hQsFEDCM/327yrPqAQfw3OcIHFQNJiIIZrfyab1abIOGaWtWBZbSu';

/** A controller whose routes are of one realm. */
export function roomOf(realm: RealmName): Type {
  @Realm(realm)
  @Controller(`room/${realm}`)
  class Room {
    @UseGuards(SessionAuthGuard)
    @Get('me')
    me(@CurrentSession() session: Session, @CurrentUser() user: SessionUser): object {
      return { realm: session.realm, userId: session.userId, roles: user.roles };
    }

    @CsrfProtected()
    @UseGuards(SessionAuthGuard)
    @Post('act')
    act(@CurrentSession('realm') by: string): object {
      return { by };
    }

    @Get('open')
    open(@CurrentSession('realm') by: string | undefined): object {
      return { by };
    }

    @UseGuards(SessionAuthGuard)
    @Get('save')
    async save(@CurrentSession() session: Session): Promise<object> {
      await session.update({ saved: realm });
      return session.data;
    }

    @UseGuards(SessionAuthGuard)
    @Get('data')
    data(@CurrentSession('data') data: object): object {
      return data;
    }
  }
  return Room;
}

/** A controller of the default realm that asks the services of all realms for their sessions. */
@Controller('lobby')
class Lobby {
  constructor(
    @Inject(SessionAuthService) private readonly own: SessionAuthService,
    @Inject(realmToken('staff', SessionAuthService)) private readonly staff: SessionAuthService,
    @Inject(realmToken('partner', SessionAuthService)) private readonly partner: SessionAuthService,
  ) {}

  @Get()
  async who(@Req() request: object): Promise<object> {
    const [own, staff, partner] = [this.own, this.staff, this.partner];
    const realms: (string | null)[] = [];
    for (const service of [own, staff, partner]) realms.push((await service.current(request))?.realm ?? null);
    return realms;
  }

  @Realm('staff', 'partner')
  @UseGuards(SessionAuthGuard)
  @Get('either')
  either(@CurrentSession() session: Session, @CurrentUser() user: SessionUser): object {
    return { realm: session.realm, roles: user.roles };
  }

  @Realm('staff', 'partner')
  @CsrfProtected()
  @UseGuards(SessionAuthGuard)
  @Post('either')
  actAsEither(@CurrentSession('realm') by: string): object {
    return { by };
  }

  /** Asks for the CSRF token before anybody has asked for a session. */
  @Realm('staff', 'partner')
  @UseGuards(SessionAuthGuard)
  @CsrfProtected()
  @Post('token-first')
  actByToken(@CurrentSession('realm') by: string): object {
    return { by };
  }

  @Realm('staff', 'partner')
  @Get('open')
  open(@CurrentSession('realm') by: string | undefined): object {
    return { by };
  }
}

@Module({})
class RealmsModule {}

/** What differs between the modules of the realms. */
export type RealmOptions = Partial<Record<RealmName, Partial<Options>>>;

/** An application with three realms. */
export interface RealmApp {
  readonly app: INestApplication;
  readonly browser: () => Browser;
}

/** Starts an application with three realms, whose secrets are the same. */
export async function startRealms(
  adapter: ServerName,
  storageOf: (realm: RealmName) => StorageOptions | 'memory' = () => 'memory',
  given: RealmOptions = {},
  controllers: Type[] = [],
): Promise<RealmApp> {
  const modules = REALMS.map((realm) =>
    SessionAuthModule.forRoot(
      options({
        ...(realm === 'default' ? {} : { realm }),
        users: { useClass: usersOf(realm) },
        storage: storageOf(realm),
        loginThrottle: false,
        ...given[realm],
      }),
    ),
  );
  const root = { module: RealmsModule, imports: modules, controllers: [Lobby, ...REALMS.map(roomOf), ...controllers] };
  const app = await NestFactory.create(root, makeServer(adapter), { logger, abortOnError: false });
  apps.push(app);
  await app.listen(0, '127.0.0.1');
  const { port } = (app.getHttpServer() as Server).address() as AddressInfo;
  return { app, browser: () => new Browser(port, senderFor(adapter)) };
}

/** A browser with the cookies of all realms. */
export class Browser {
  readonly cookies = new Map<string, string>();

  constructor(
    /** Where it sends its requests: another node's port moves it there. */
    public port: number,
    private readonly sendBy: typeof send,
  ) {}

  async ask(method: string, path: string, ask: Ask = {}): Promise<Answer> {
    const own = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const cookie = ask.cookie ?? (own === '' ? undefined : own);
    const answer = await this.sendBy(this.port, method, path, { ...ask, cookie });
    for (const line of answer.setCookies) {
      const [name = '', value = ''] = line.split(';', 1)[0]!.split('=');
      if (value === '') this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    return answer;
  }

  get(path: string, ask?: Ask): Promise<Answer> {
    return this.ask('GET', path, ask);
  }

  /** A CSRF token of a realm. */
  async csrf(realm: RealmName): Promise<string> {
    return ((await this.get(`${authPath(realm)}/csrf`)).json as { csrfToken: string }).csrfToken;
  }

  /** A request to one of a realm's endpoints, with a CSRF token of that realm. */
  async auth(realm: RealmName, method: string, path: string, body?: unknown): Promise<Answer> {
    return this.ask(method, `${authPath(realm)}/${path}`, { body, csrf: await this.csrf(realm) });
  }

  /** Logs in. Returns the session. */
  async login(
    realm: RealmName,
    name = 'alice',
    rememberMe = false,
  ): Promise<{ readonly id: string; readonly realm: string }> {
    const answer = await this.auth(realm, 'POST', 'login', {
      email: `${name}@example.com`,
      password: PASSWORD,
      rememberMe,
    });
    if (answer.status !== 200) throw new Error(`login in ${realm}: ${answer.status} ${answer.text}`);
    return (answer.json as { session: { id: string; realm: string } }).session;
  }

  /** The realms in whose rooms the browser is signed in. */
  async signedInTo(): Promise<RealmName[]> {
    const answers = await Promise.all(REALMS.map(async (realm) => (await this.get(`/room/${realm}/me`)).status));
    return REALMS.filter((_, place) => answers[place] === 200);
  }
}
