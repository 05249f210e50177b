import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Injectable, Req, UseGuards, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { promisify } from 'node:util';
import {
  Public,
  Realm,
  SessionAuthGuard,
  SessionAuthModule,
  realmToken,
  SessionAuthService,
  type SessionUser,
} from 'nestjs-session-auth';
import { PassportCompatModule, SessionPassport } from 'nestjs-session-auth/passport';
import { ADAPTERS } from '../support/bank.js';
import { closeApps, SECRETS } from '../support/door-app.js';
import { PEOPLE, People, send, startPassport, type Asked, type Handler } from '../support/passport-app.js';
import { watchedBackend } from '../support/watched-store.js';

const ALICE = { id: 'alice', email: 'alice@example.com', roles: ['customer'] };

/** A guard of the application's own, as they are written for passport. */
@Injectable()
class ClerksOnly implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return context.switchToHttp().getRequest<{ user?: SessionUser }>().user?.roles?.includes('clerk') === true;
  }
}

@Controller('clerks')
class ClerksController {
  @UseGuards(SessionAuthGuard, ClerksOnly)
  @Get()
  read(): object {
    return {};
  }

  @Public()
  @Get('open')
  open(@Req() { user }: { user?: unknown }): object {
    return { user: user ?? null };
  }
}

const logIn: Handler = async (request, response) => {
  const { as = 'alice', ...options } = request.query as Record<string, string>;
  await promisify((done: (error?: unknown) => void) => request.logIn(PEOPLE[as]!, options, done))();
  send(response, { user: request.user, isAuthenticated: request.isAuthenticated() });
};

const logOut: Handler = async (request, response) => {
  await promisify((done: (error?: unknown) => void) => request.logout(done))();
  send(response, { user: request.user ?? null, isAuthenticated: request.isAuthenticated() });
};

describe.each(ADAPTERS)('req.user on %s', (adapter) => {
  afterEach(closeApps);

  it('is what the session says, with requestUser: session', async () => {
    const { client, people } = await startPassport({ adapter });
    const alice = client();
    expect((await alice.get('/plain/user')).json).toEqual({ user: null, isAuthenticated: false });
    await alice.get('/plain/enter');
    people.gone.add('alice');
    expect((await alice.get('/plain/user')).json).toEqual({ user: ALICE, isAuthenticated: true });
    expect((await alice.get('/plain/guarded/user')).json).toEqual({ user: ALICE, isAuthenticated: true });
  });

  it('is what users know now, with requestUser: user, and nobody who is gone', async () => {
    const { client, people } = await startPassport({ adapter, requestUser: 'user' });
    const alice = client();
    await alice.get('/plain/enter');
    expect((await alice.get('/plain/user')).json).toEqual({ user: PEOPLE['alice'], isAuthenticated: true });
    people.gone.add('alice');
    expect((await alice.get('/plain/user')).json).toEqual({ user: null, isAuthenticated: false });
    people.gone.clear();
    expect((await alice.get('/plain/guarded/user')).status).toBe(401);
  });

  it('is there for guards of the application that come after ours, and on open routes', async () => {
    const { client } = await startPassport({ adapter, module: { controllers: [ClerksController] } });
    const [alice, bob] = [client(), client()];
    await alice.get('/plain/enter');
    await bob.get('/plain/enter?as=bob');
    const statuses = await Promise.all([client(), alice, bob].map(async (each) => (await each.get('/clerks')).status));
    expect(statuses).toEqual([401, 403, 200]);
    expect((await alice.get('/clerks/open')).json).toEqual({ user: ALICE });
  });

  it('asks no store for a request without a cookie, and once for one with', async () => {
    const backend = watchedBackend();
    const { client } = await startPassport({ adapter, storage: backend.storage });
    const alice = client();
    await alice.get('/plain/user');
    await alice.get('/plain/enter');
    backend.calls.length = 0;
    await client().get('/plain/user');
    expect(backend.calls).toEqual([]);
    await alice.get('/plain/guarded/user');
    expect(backend.calls).toEqual(['find']);
  });

  it('is set by req.logIn, which signs in under limit, rotation and events', async () => {
    const { client, events } = await startPassport({
      adapter,
      handlers: { logIn, logOut },
      options: { concurrency: { max: 1, onLimit: 'evict-oldest' } },
    });
    const [one, two] = [client(), client()];
    expect((await one.get('/plain/logIn')).json).toEqual({ user: PEOPLE['alice'], isAuthenticated: true });
    const { sealed } = one;
    await one.get('/plain/logIn');
    expect(one.sealed).not.toBe(sealed);
    await two.get('/plain/logIn');
    expect((await one.get('/plain/user')).json).toEqual({ user: null, isAuthenticated: false });
    const types = events.map(({ type }) => type);
    expect(types).toEqual(expect.arrayContaining(['session.created', 'session.rotated', 'session.evicted']));
  });

  it('is removed by req.logout, with the session', async () => {
    const { client, events } = await startPassport({ adapter, handlers: { logIn, logOut } });
    const alice = client();
    await alice.get('/plain/logIn');
    const { cookie } = alice;
    expect((await alice.get('/plain/logOut')).json).toEqual({ user: null, isAuthenticated: false });
    expect((await client().get('/plain/guarded/user', { cookie })).status).toBe(401);
    expect(events).toContainEqual(expect.objectContaining({ type: 'session.destroyed', reason: 'logout' }));
    expect(await client().get('/plain/logOut')).toMatchObject({ status: 200 });
  });

  it('is set for this request only by req.logIn with session: false', async () => {
    const once: Handler = (request, response) =>
      request.logIn(PEOPLE['alice']!, { session: false }, () => send(response, { user: request.user }));
    const { client } = await startPassport({ adapter, handlers: { once } });
    const alice = client();
    expect((await alice.get('/plain/once')).json).toEqual({ user: PEOPLE['alice'] });
    expect(alice.cookies.size).toBe(0);
  });

  it('hands errors to the callback, and signs nobody in', async () => {
    const refuse: Handler = (request, response) => {
      const user = request.query['of'] === 'disabled' ? { ...PEOPLE['alice'], disabled: true } : { name: 'nobody' };
      request.logIn(user, (error) => send(response, { error: (error as { code: string }).code, user: request.user }));
    };
    const { client } = await startPassport({ adapter, handlers: { refuse } });
    const nobody = client();
    expect((await nobody.get('/plain/refuse')).json).toEqual({ error: 'invalid_user', user: null });
    const disabled = await nobody.get('/plain/refuse?of=disabled');
    expect(disabled.json).toEqual({ error: 'invalid_credentials', user: null });
    expect((await nobody.get('/plain/user')).json).toMatchObject({ user: null });
  });

  it('wants a callback, as passport does', async () => {
    const none: Handler = (request, response) => {
      const messages = [
        () => request.logIn(PEOPLE['alice']!, {}, undefined as never),
        () => request.logout({} as never),
      ];
      const told = messages.map((call) => {
        try {
          call();
          return 'nothing';
        } catch (error) {
          return (error as Error).message;
        }
      });
      send(response, told);
    };
    const { client } = await startPassport({ adapter, handlers: { none } });
    expect((await client().get('/plain/none')).json).toEqual([
      'req#login requires a callback function',
      'req#logout requires a callback function',
    ]);
  });

  it('leaves alone what another library has put there for a request without a session', async () => {
    const bearer = { provide: 'bearer', useValue: true };
    @Injectable()
    class BearerGuard implements CanActivate {
      canActivate(context: ExecutionContext): boolean {
        context.switchToHttp().getRequest<{ user?: unknown }>().user = { id: 'by token' };
        return true;
      }
    }
    const { APP_GUARD } = await import('@nestjs/core');
    const { client } = await startPassport({
      adapter,
      module: { providers: [bearer, { provide: APP_GUARD, useClass: BearerGuard }] },
    });
    expect((await client().get('/plain/user')).json).toMatchObject({ user: { id: 'by token' } });
  });

  it('belongs to the realm of the route, even if somebody is signed in to another', async () => {
    @Realm('staff')
    @Controller('staff')
    class StaffController {
      @Get('user')
      user(@Req() request: Asked): object {
        return { user: request.user ?? null, isAuthenticated: request.isAuthenticated() };
      }

      @Get('enter')
      async enter(@Req() request: Asked): Promise<void> {
        await promisify((done: (error?: unknown) => void) => request.logIn(PEOPLE['bob']!, done))();
      }
    }
    class ViewModule {
      configure(consumer: { apply(type: unknown): { forRoutes(path: string): void } }): void {
        if (adapter === 'express') consumer.apply(SessionPassport).forRoutes('staff/*path');
      }
    }
    const staff = SessionAuthModule.forRoot({
      realm: 'staff',
      secrets: SECRETS,
      users: { useClass: People },
      fingerprint: false,
    });
    const { client, app } = await startPassport({
      adapter,
      module: { imports: [staff, ViewModule], controllers: [StaffController] },
    });
    expect(app.get(realmToken('staff', SessionAuthService))).toBeInstanceOf(SessionAuthService);
    const alice = client();
    await alice.get('/plain/enter');
    expect((await alice.get('/staff/user')).json).toEqual({ user: null, isAuthenticated: false });
    await alice.get('/staff/enter');
    expect((await alice.get('/staff/user')).json).toMatchObject({ user: { id: 'bob' } });
    expect((await alice.get('/plain/user')).json).toMatchObject({ user: { id: 'alice' } });
  });
});

describe('PassportCompatModule', () => {
  afterEach(closeApps);

  it('refuses options that it does not know', () => {
    expect(() => PassportCompatModule.register({ requestUser: 'all' as never })).toThrow(
      "PassportCompatModule: requestUser: given 'all'; allowed is 'session', 'user'",
    );
    expect(() => PassportCompatModule.register({ user: 'session' } as never)).toThrow('an unknown option');
  });

  it('does not boot with requestUser: user where there are no users', async () => {
    await expect(
      startPassport({ requestUser: 'user', options: { users: undefined, endpoints: false } }),
    ).rejects.toThrow("the SessionAuthModule of realm 'default' has no users");
  });

  it('does not boot without SessionAuthModule', async () => {
    const { NestFactory } = await import('@nestjs/core');
    class Alone {}
    const boot = NestFactory.create(
      { module: Alone, imports: [PassportCompatModule.register()] },
      { logger: false, abortOnError: false },
    ).then((app) => app.init());
    await expect(boot).rejects.toThrow();
  });
});

describe('SessionPassport', () => {
  afterEach(closeApps);

  it('does not boot on Fastify', async () => {
    await expect(startPassport({ adapter: 'fastify', withView: true })).rejects.toThrow(
      'SessionPassport is for Express',
    );
  });

  it('shows req.user to middleware behind it, and not before it', async () => {
    const seen: unknown[] = [];
    const look = (place: string) => (request: unknown, _: unknown, next: () => void) => {
      seen.push([place, (request as Asked).user?.id]);
      next();
    };
    const { client } = await startPassport({ before: [look('before')], behind: [look('behind')] });
    const alice = client();
    await alice.get('/plain/enter');
    await alice.get('/view/user');
    expect(seen).toEqual([
      ['before', undefined],
      ['before', undefined],
      ['behind', 'alice'],
    ]);
  });

  it('refuses a request that has the req.session of another library', async () => {
    const { default: session } = await import('express-session');
    const { client } = await startPassport({
      before: [session({ secret: 'a secret', resave: false, saveUninitialized: false })],
    });
    expect((await client().get('/view/user')).status).toBe(500);
    expect((await client().get('/plain/user')).status).toBe(200);
  });

  it('is of another realm by ofRealm', async () => {
    const staff = SessionAuthModule.forRoot({
      realm: 'staff',
      secrets: SECRETS,
      users: { useClass: People },
      fingerprint: false,
    });
    @Controller('office')
    class OfficeController {
      @Get('write')
      write(@Req() { session }: Asked): object {
        session['a'] = 1;
        return {};
      }
    }
    class ViewModule {
      configure(consumer: { apply(type: unknown): { forRoutes(path: string): void } }): void {
        consumer.apply(SessionPassport.ofRealm('staff')).forRoutes('office/*path');
      }
    }
    const { client } = await startPassport({
      module: { imports: [staff, ViewModule], controllers: [OfficeController] },
    });
    const bob = client();
    await bob.get('/office/write');
    expect([...bob.cookies.keys()]).toEqual(['__Host-staff-session']);
    expect(SessionPassport.ofRealm('default')).toBe(SessionPassport);
  });
});
