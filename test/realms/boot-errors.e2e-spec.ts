import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Injectable, Module, Query, UseGuards, type DynamicModule, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  AuditLog,
  CsrfProtected,
  CurrentSession,
  CurrentUser,
  EmbeddingGuard,
  InjectRealm,
  MemoryRememberMeTokenStore,
  MemorySessionStore,
  Realm,
  realmToken,
  RequireFactor,
  RequireFullAuth,
  RequireRecentAuth,
  Roles,
  SessionAuthGuard,
  SessionAuthModule,
  SessionAuthService,
  SessionLifecycleService,
  SessionUserProvider,
} from 'nestjs-session-auth';
import { RedisRememberMeTokenStore, RedisSessionStore } from 'nestjs-session-auth/redis';
import { Redis } from 'ioredis';
import { makeServer } from '../support/http-server.js';
import { apps, closeApps, forRoot, logger, options, Users, type Options } from '../support/door-app.js';

afterEach(closeApps);

/** A store of before there were realms. */
class OneRealmStore extends MemorySessionStore {
  constructor() {
    super();
    Object.assign(this, { ofRealm: undefined });
  }
}

/** An audit log that erases users, of before there were realms. */
class OneRealmLog extends AuditLog {
  record(): void {}

  override eraseUser(): Promise<number> {
    return Promise.resolve(0);
  }
}

// is not asked anything at boot
/** Never connected: what is refused is refused before that. */
const NO_REDIS = new Redis({ lazyConnect: true });

const users = { useClass: Users };
/** The methods of a store, without its class and without `ofRealm`. */
function methodsOf(store: object): object {
  const names = Object.getOwnPropertyNames(Object.getPrototypeOf(store));
  const methods = names.map((name) => [name, (store as Record<string, unknown>)[name]] as const);
  return Object.fromEntries(
    methods.flatMap(([name, method]) =>
      typeof method !== 'function' || name === 'ofRealm' || name === 'constructor' ? [] : [[name, method.bind(store)]],
    ),
  );
}

const staff = (given: Partial<Options> = {}): DynamicModule => forRoot({ realm: 'staff', ...given });

@Module({})
class Root {}

async function boot(imports: DynamicModule[], controllers: Type[] = []): Promise<void> {
  const root = { module: Root, imports, controllers };
  const app = await NestFactory.create(root, makeServer('express'), { logger, abortOnError: false });
  apps.push(app);
  await app.init();
}

describe('two realms', () => {
  it.each<[string, () => DynamicModule[], RegExp]>([
    ['with one name', () => [staff(), staff({ cookie: { name: 'x' } })], /: realm: given 'staff' by two modules/],
    ['without names', () => [forRoot(), forRoot()], /: realm: given 'default' by two modules/],
    [
      'with one cookie name',
      () => [forRoot(), staff({ cookie: { name: '__Host-session', path: '/' } })],
      /realm 'staff': cookie\.name: given a name that makes a cookie '__Host-session', as realm 'default' has/,
    ],
    [
      'one of whose cookies is named as a derived one of the other',
      () => [forRoot(), staff({ cookie: { name: '__Host-session-remember' } })],
      /realm 'staff': cookie\.name: given a name that makes a cookie '__Host-session-remember', as realm 'default'/,
    ],
    [
      'with endpoints at one path',
      () => [forRoot({ users }), staff({ users, endpoints: { path: '/auth/' } })],
      /realm 'staff': endpoints\.path: given 'auth', as realm 'default' has/,
    ],
    [
      'with a store that knows no realms',
      () => {
        const storage = { sessions: { useValue: new OneRealmStore() } };
        return [forRoot({ storage }), staff({ storage })];
      },
      /realm 'staff': storage\.sessions: given a OneRealmStore without ofRealm, as realm 'default' has/,
    ],
    [
      'with an audit log that finds users and knows no realms',
      () => {
        const storage = { audit: { useValue: new OneRealmLog() } };
        return [forRoot({ storage }), staff({ storage })];
      },
      /realm 'staff': storage\.audit: given a OneRealmLog without ofRealm, as realm 'default' has/,
    ],
    [
      'with two objects of a class of stores that knows no realms, which may be on one backend',
      () => [
        forRoot({ storage: { sessions: { useFactory: () => new OneRealmStore() } } }),
        staff({ storage: { sessions: { useFactory: () => new OneRealmStore() } } }),
      ],
      /storage\.sessions: given a OneRealmStore without ofRealm/,
    ],
    [
      'with stores of one namespace in Redis, which one of them has from the other realm',
      () => [
        forRoot({ storage: { sessions: { useValue: new RedisSessionStore(NO_REDIS).ofRealm('staff') } } }),
        staff({ storage: { sessions: { useValue: new RedisSessionStore(NO_REDIS) } } }),
      ],
      /realm 'staff': storage\.sessions: given a store, as realm 'default' has/,
    ],
    [
      'with stores of one namespace in Redis, by its text',
      () => [
        forRoot({
          storage: { rememberMe: { useValue: new RedisRememberMeTokenStore(NO_REDIS, { namespace: 'a@staff:' }) } },
        }),
        staff({ storage: { rememberMe: { useValue: new RedisRememberMeTokenStore(NO_REDIS, { namespace: 'a' }) } } }),
      ],
      /realm 'staff': storage\.rememberMe: given a store, as realm 'default' has/,
    ],
  ])('%s do not boot', async (_, modules, message) => {
    await expect(boot(modules())).rejects.toMatchObject({
      code: 'invalid_configuration',
      message: expect.stringMatching(message),
    });
  });

  it('with one name do not boot where Nest tells modules apart by what they contain', async () => {
    const module = (): DynamicModule => staff({ users: { useFactory: () => new Users() } });
    const root = { module: Root, imports: [module(), module()] };
    const options = { logger, abortOnError: false, moduleIdGeneratorAlgorithm: 'deep-hash' } as const;
    await expect(NestFactory.create(root, makeServer('express'), options)).rejects.toThrow(
      "realm: given 'staff' by two",
    );
  });

  it('boot with literal objects for stores of two kinds', async () => {
    const literal = (store: object): { useValue: never } => ({
      useValue: Object.assign(Object.create(null), methodsOf(store)) as never,
    });
    await boot([
      forRoot({ storage: { sessions: literal(new MemorySessionStore()) } }),
      staff({ storage: { rememberMe: literal(new MemoryRememberMeTokenStore()) } }),
    ]);
  });

  it('boot on one store object that tells realms apart, also from factories', async () => {
    const storage = { sessions: { useValue: new MemorySessionStore() } };
    const other = SessionAuthModule.forRootAsync({ realm: 'staff', storage, useFactory: () => options() });
    await boot([forRoot({ storage }), other]);
    const [app] = apps;
    const own = app!.get(SessionLifecycleService);
    const others = app!.get<SessionLifecycleService>(realmToken('staff', SessionLifecycleService));
    expect(others).not.toBe(own);
    const { token } = await own.create({ user: { id: 'alice' } });
    expect(await others.find(token)).toBeUndefined();
    expect((await others.list('alice')).sessions).toEqual([]);
    expect((await own.find(token))?.realm).toBe('default');
  });

  it('names the realm in the error of a wrong option', async () => {
    await expect(boot([forRoot(), staff({ lifetime: { idle: 'soon' as never } })])).rejects.toThrow(
      "SessionAuthModule of realm 'staff': lifetime.idle: given 'soon'",
    );
    expect(() => forRoot({ realm: 'Staff' })).toThrow("SessionAuthModule: realm: given 'Staff'");
  });

  it('do not lend each other what one of them lacks', async () => {
    await boot([forRoot({ users }), staff()]);
    const auth = apps[0]!.get<SessionAuthService>(realmToken('staff', SessionAuthService));
    const credentials = { email: 'alice@example.com', password: 'x' };
    await expect(auth.login({ headers: {} }, credentials)).rejects.toMatchObject({ code: 'request_not_bound' });
    expect(apps[0]!.get(realmToken('staff', SessionUserProvider), { strict: false })).toBeUndefined();
  });
});

describe('a route', () => {
  @Realm('partner')
  @Controller('a')
  class OfAnother {
    @Get()
    get(): void {}
  }

  @Injectable()
  class StricterGuard extends SessionAuthGuard {}

  @Controller('c')
  class Open {
    constructor(@InjectRealm('staff', SessionAuthService) readonly auth: SessionAuthService) {}

    @Get()
    get(@Query('page') _page: string): void {}
  }

  it('of a realm that no module makes does not boot', async () => {
    await expect(boot([forRoot(), staff()], [OfAnother])).rejects.toThrow(
      "OfAnother.get: @Realm('partner'): no SessionAuthModule has the option realm: 'partner'; there is 'default', 'staff'",
    );
  });

  it.each<[string, MethodDecorator]>([
    ['SessionAuthGuard', UseGuards(SessionAuthGuard)],
    ['EmbeddingGuard', UseGuards(EmbeddingGuard)],
    ['a guard that extends one', UseGuards(StricterGuard)],
    ['@Roles()', Roles('boss')],
    ['@RequireRecentAuth()', RequireRecentAuth('10m')],
    ['@RequireFullAuth()', RequireFullAuth()],
    ['@RequireFactor()', RequireFactor('totp')],
    ['@CsrfProtected()', CsrfProtected()],
  ])('with %s does not boot without a realm where there is no default one', async (_, decorate) => {
    @Controller('b')
    class Guarded {
      @decorate
      @Get('in')
      get(): void {}
    }
    await expect(boot([staff()], [Guarded])).rejects.toMatchObject({
      code: 'invalid_configuration',
      message:
        "Guarded.get: a guard without @Realm(): no SessionAuthModule has the option realm: 'default'; there is 'staff'",
    });
    await boot([staff(), forRoot()], [Guarded]);
  });

  it.each<[string, ParameterDecorator]>([
    ['@CurrentSession()', CurrentSession()],
    ['a property of it', CurrentSession('userId')],
    ['@CurrentUser()', CurrentUser()],
  ])('with %s and no guard does not boot without a realm where there is no default one', async (_, decorate) => {
    abstract class Inherited {
      @Get()
      get(@Query() _query: object, @decorate _given: unknown): void {}
    }
    @Controller('d')
    class Asks extends Inherited {}
    await expect(boot([staff()], [Asks])).rejects.toMatchObject({
      code: 'invalid_configuration',
      message:
        "Asks.get: @CurrentSession() or @CurrentUser() without @Realm(): no SessionAuthModule has the option realm: 'default'; " +
        "there is 'staff'",
    });
    @Realm('staff')
    @Controller('d')
    class OfStaff extends Inherited {}
    await boot([staff()], [OfStaff]);
  });

  it('that asks for nothing boots without a realm where there is no default one', async () => {
    await boot([staff()], [Open]);
  });

  it.each([[[]], [['Staff']], [['staff', 'staff']], [[undefined]]])('may not be of %j', (names) => {
    expect(() => Realm(...(names as [string]))).toThrow(expect.objectContaining({ code: 'invalid_configuration' }));
  });
});

describe('realmToken', () => {
  it('is the class itself for the default realm, and one token a realm', () => {
    expect(realmToken('default', SessionAuthService)).toBe(SessionAuthService);
    expect(realmToken('staff', SessionAuthService)).toBe(realmToken('staff', SessionAuthService));
    expect(realmToken('staff', SessionAuthService)).not.toBe(realmToken('sta', SessionAuthService));
    expect(() => realmToken('No', SessionAuthService)).toThrow('given "No"');
  });
});
