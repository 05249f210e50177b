import { afterEach, describe, expect, it } from '@jest/globals';
import {
  Injectable,
  Module,
  ValidationPipe,
  VersioningType,
  type DynamicModule,
  type INestApplication,
} from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  BcryptPasswordHasher,
  MemoryRememberMeTokenStore,
  MemorySessionStore,
  PasswordHasher,
  SessionAuthModule,
  SessionAuthService,
  SessionLifecycleService,
  SessionStore,
  SessionUserProvider,
  type SessionAuthExtras,
  type SessionAuthOptions,
} from 'nestjs-session-auth';
import { makeHttpAdapter } from '../../src/http-adapter.js';
import { SESSION_COOKIE } from '../support/bank-client.js';
import { ADAPTERS } from '../support/bank.js';
import {
  apps,
  closeApps,
  DoorController,
  expectError,
  expectWorking,
  forRoot,
  listen,
  log,
  logger,
  options,
  SECRETS,
  start,
  Users,
  UsersModule,
  type Options,
} from '../support/door-app.js';

afterEach(closeApps);

const APP_OPTIONS = Symbol('the options of the application');

@Injectable()
class SettingsService {
  createSessionAuthOptions(): SessionAuthOptions {
    return options();
  }
}

@Module({
  providers: [SettingsService, { provide: APP_OPTIONS, useValue: options() }],
  exports: [SettingsService, APP_OPTIONS],
})
class SettingsModule {}

describe.each(ADAPTERS)('on %s', (adapter) => {
  it.each<[string, () => DynamicModule]>([
    ['forRoot', () => forRoot()],
    [
      'forRootAsync with useFactory and inject',
      () =>
        SessionAuthModule.forRootAsync({
          imports: [SettingsModule],
          inject: [APP_OPTIONS],
          useFactory: (given: SessionAuthOptions) => Promise.resolve(given),
        }),
    ],
    ['forRootAsync with useClass', () => SessionAuthModule.forRootAsync({ useClass: SettingsService })],
    [
      'forRootAsync with useExisting',
      () => SessionAuthModule.forRootAsync({ imports: [SettingsModule], useExisting: SettingsService }),
    ],
    [
      'forRootAsync with parts next to the factory',
      () =>
        SessionAuthModule.forRootAsync({
          imports: [UsersModule],
          useFactory: () => options(),
          storage: { sessions: { useClass: MemorySessionStore } },
          users: { useExisting: Users },
          passwords: { useValue: new BcryptPasswordHasher(4) },
          endpoints: { path: 'auth' },
          global: false,
        }),
    ],
  ])('works by %s', async (_how, sessions) => {
    await expectWorking(await start(sessions(), { adapter }));
  });

  it('guards every route with global: true, unless it is public', async () => {
    const client = await start(forRoot({ global: true }), { adapter });
    expectError(await client.get('/unmarked'), 401, 'session_required');
    expect(await client.get('/open')).toMatchObject({ status: 200, json: {} });
    await expectWorking(client);
    expect((await client.get('/unmarked')).status).toBe(200);
    expect(await client.get('/open')).toMatchObject({ status: 200, json: { userId: 'alice' } });
  });

  it('guards what asks for it with global: false', async () => {
    const client = await start(forRoot({ global: false }), { adapter });
    expect((await client.get('/unmarked')).status).toBe(200);
    await expectWorking(client);
  });

  it('does the same for an asynchronous global: true', async () => {
    const sessions = SessionAuthModule.forRootAsync({ useFactory: () => options(), global: true });
    const client = await start(sessions, { adapter });
    expect((await client.get('/unmarked')).status).toBe(401);
  });

  it.each<[string, Partial<Options>, string, boolean]>([
    ['at auth where users are given', { users: { useClass: Users } }, '/auth/session', true],
    [
      'at a path of their own',
      { users: { useClass: Users }, endpoints: { path: 'me/here' } },
      '/me/here/session',
      true,
    ],
    ['not at auth then', { users: { useClass: Users }, endpoints: { path: 'me/here' } }, '/auth/session', false],
    ['not with endpoints: false', { users: { useClass: Users }, endpoints: false }, '/auth/session', false],
    ['not without users', {}, '/auth/session', false],
  ])('has endpoints %s', async (_where, given, path, there) => {
    const client = await start(forRoot(given), { adapter });
    expect((await client.get(path)).status).toBe(there ? 401 : 404);
    await expectWorking(client);
    expect((await client.get(path)).status).toBe(there ? 200 : 404);
  });

  it('moves with a global prefix', async () => {
    const configure = (app: INestApplication): void => void app.setGlobalPrefix('v');
    const client = await start(forRoot({ users: { useClass: Users } }), { adapter, configure });
    await expectWorking(client, '/v');
    expect((await client.get('/v/auth/session')).status).toBe(200);
    expect((await client.get('/auth/session')).status).toBe(404);
  });

  it.each<[string, VersioningType]>([
    ['addresses', VersioningType.URI],
    ['headers', VersioningType.HEADER],
  ])('stays where it is under versions by %s', async (_by, type) => {
    const configure = (app: INestApplication): void => {
      if (type === VersioningType.HEADER) app.enableVersioning({ type, header: 'x-version', defaultVersion: '2' });
      else app.enableVersioning({ type: VersioningType.URI, defaultVersion: '2' });
    };
    const client = await start(forRoot({ users: { useClass: Users } }), { adapter, configure });
    expectError(await client.get('/auth/session'), 401, 'session_required');
  });

  it('is not disturbed by a strict global ValidationPipe', async () => {
    const configure = (app: INestApplication): void => {
      app.useGlobalPipes(new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true, transform: true }));
    };
    const client = await start(forRoot({ users: { useClass: Users }, global: true }), { adapter, configure });
    await expectWorking(client);
    expectError(await client.tryLogin('nobody'), 401, 'invalid_credentials');
    expect((await client.get('/auth/sessions')).status).toBe(200);
    expect(await client.get('/user')).toMatchObject({ status: 200, json: { id: 'alice' } });
  });

  it('needs no body parser but for bodies', async () => {
    const client = await start(forRoot({ users: { useClass: Users } }), { adapter, nest: { bodyParser: false } });
    await expectWorking(client);
    expect((await client.get('/auth/session')).status).toBe(200);
  });
});

describe('a part of the application', () => {
  class OwnStore extends MemorySessionStore {}
  const STORE = Symbol('a store of the application');
  const store = new OwnStore();

  @Module({ providers: [{ provide: STORE, useValue: store }], exports: [STORE] })
  class StoreModule {}

  it.each<[string, SessionAuthExtras]>([
    ['useClass', { storage: { sessions: { useClass: OwnStore } } }],
    ['useExisting', { imports: [StoreModule], storage: { sessions: { useExisting: STORE } } }],
    ['useValue', { storage: { sessions: { useValue: store } } }],
    ['useFactory', { storage: { sessions: { useFactory: () => Promise.resolve(store) } } }],
    [
      'useFactory with inject',
      { imports: [StoreModule], storage: { sessions: { inject: [STORE], useFactory: (own: OwnStore) => own } } },
    ],
  ])('keeps the sessions: %s', async (_how, given) => {
    await expectWorking(await start(forRoot(given)));
    expect(apps[0]!.get(SessionStore)).toBeInstanceOf(OwnStore);
  });

  it('knows the users, from its own module', async () => {
    const client = await start(forRoot({ imports: [UsersModule], users: { useExisting: Users } }));
    await expectWorking(client);
    expect(await client.get('/user')).toMatchObject({ status: 200, json: { id: 'alice' } });
    expect(apps[0]!.get(SessionUserProvider)).toBe(apps[0]!.get(Users, { strict: false }));
  });

  it('hashes the passwords, in forRoot and next to a factory', async () => {
    class OwnHasher extends BcryptPasswordHasher {}
    const passwords = { useValue: new OwnHasher(4) };
    await start(forRoot({ passwords }));
    await start(SessionAuthModule.forRootAsync({ useFactory: () => ({ secrets: SECRETS }), passwords }));
    expect(apps.map((app) => app.get(PasswordHasher))).toEqual([passwords.useValue, passwords.useValue]);
  });

  it('stands in by overrideProvider in tests', async () => {
    const own = new OwnStore();
    const testing = await Test.createTestingModule({ imports: [forRoot()], controllers: [DoorController] })
      .overrideProvider(SessionStore)
      .useValue(own)
      .setLogger(logger)
      .compile();
    await expectWorking(await listen(testing.createNestApplication(makeHttpAdapter('express'))));
    expect(own.size).toBe(1);
  });

  it('that is missing is named: users for @CurrentUser()', async () => {
    const client = await start(forRoot());
    await client.get('/enter');
    expectError(await client.get('/user'), 500, 'not_configured');
    expect(log.filter(({ text }) => text.includes('users'))).not.toHaveLength(0);
  });

  it('that is missing is named before a device is remembered, and forgets none that was', async () => {
    const storage = { rememberMe: { useValue: new MemoryRememberMeTokenStore() } };
    const client = await start(forRoot({ storage }));
    expectError(await client.get('/enter-remembered'), 500, 'not_configured');
    expect(client.cookies.size).toBe(0);
    const complete = await start(forRoot({ storage, imports: [UsersModule], users: { useExisting: Users } }));
    expect((await complete.get('/enter-remembered')).status).toBe(200);
    complete.cookies.delete(SESSION_COOKIE);
    const copy = new Map(complete.cookies);
    for (const [name, value] of copy) client.cookies.set(name, value);
    expectError(await client.get('/guarded'), 401, 'session_required');
    expect(new Map(client.cookies)).toEqual(copy);
    expect((await complete.get('/guarded')).status).toBe(200);
  });
});

it('hands the services to every module of the application', async () => {
  await start(forRoot());
  for (const service of [SessionAuthService, SessionLifecycleService, SessionStore, PasswordHasher]) {
    expect(apps[0]!.get(service, { strict: false })).toBeInstanceOf(service);
  }
});
