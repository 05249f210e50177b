import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, Inject, Next, Req, UseGuards } from '@nestjs/common';
import {
  CurrentSession,
  CurrentUser,
  Realm,
  realmToken,
  SessionAuthGuard,
  SessionAuthService,
  SessionLifecycleService,
  type Session,
  type SessionUser,
} from 'nestjs-session-auth';
import { signInAs } from 'nestjs-session-auth/testing';
import { SERVERS } from '../support/bank.js';
import { closeApps } from '../support/door-app.js';
import { startRealms, type RealmApp, type RealmName } from '../support/realm-app.js';

type Handler = () => void;

/** Takes requests first, and hands them on to what is mapped behind it. */
@Controller('handed-on')
class Gate {
  @Get('from-default/*rest')
  fromDefault(@CurrentSession('realm') _: unknown, @Next() next: Handler): void {
    next();
  }

  @Realm('default', 'partner')
  @Get('from-two/*rest')
  fromTwo(@CurrentSession('realm') _: unknown, @Next() next: Handler): void {
    next();
  }
}

@Controller('handed-on/:from')
class Behind {
  @Realm('staff')
  @UseGuards(SessionAuthGuard)
  @Get('staff')
  ofStaff(@CurrentSession() session: Session, @CurrentUser() user: SessionUser): object {
    return { realm: session.realm, roles: user.roles };
  }

  @Realm('staff', 'partner')
  @UseGuards(SessionAuthGuard)
  @Get('two')
  ofTwo(@CurrentSession() session: Session, @CurrentUser() user: SessionUser): object {
    return { realm: session.realm, roles: user.roles };
  }

  @Realm('staff')
  @Get('open')
  open(@CurrentSession('realm') realm?: string): object {
    return { realm };
  }
}

/** A route of staff that asks a service of another realm as well. */
@Controller('mixed')
class Mixed {
  constructor(
    @Inject(realmToken('partner', SessionAuthService)) private readonly partners: SessionAuthService,
    @Inject(SessionLifecycleService) private readonly lifecycle: SessionLifecycleService,
  ) {}

  @Realm('staff')
  @UseGuards(SessionAuthGuard)
  @Get('private')
  async private(@Req() request: object): Promise<void> {
    await this.partners.current(request);
  }

  @Realm('staff')
  @UseGuards(SessionAuthGuard)
  @Get('update')
  async update(@CurrentSession() session: Session): Promise<object> {
    const failed = await this.lifecycle.update(session, { by: 'default' }).catch((error: unknown) => error);
    return { code: (failed as { code?: string } | undefined)?.code, data: session.data };
  }
}

describe('a request that a route of other realms has handed on', () => {
  let realms: RealmApp;

  beforeAll(async () => {
    realms = await startRealms('express', undefined, {}, [Gate, Behind]);
  });
  afterAll(closeApps);

  const get = async (path: string, ...signedIn: RealmName[]): Promise<{ status: number; json: unknown }> => {
    const user = { id: 'alice', email: 'alice@example.com', roles: [] };
    const signed = await Promise.all(signedIn.map((realm) => signInAs(realms.app, user, { realm })));
    const cookie = signed.map((each) => each.cookie).join('; ');
    const { status, json } = await realms.browser().get(`/handed-on/${path}`, { cookie });
    return { status, json };
  };

  it.each(['from-default', 'from-two'])(
    '%s needs a session of the realm of the route that it comes to',
    async (from) => {
      const refused = { status: 401, json: { code: 'session_required', realm: 'staff' } };
      expect(await get(`${from}/staff`, 'default', 'partner')).toMatchObject(refused);
      expect(await get(`${from}/two`, 'default')).toMatchObject(refused);
      expect(await get(`${from}/open`, 'default', 'partner')).toEqual({ status: 200, json: {} });
    },
  );

  it.each(['from-default', 'from-two'])('%s gets the session and the user of that realm', async (from) => {
    const staff = { status: 200, json: { realm: 'staff', roles: ['staff'] } };
    expect(await get(`${from}/staff`, 'default', 'partner', 'staff')).toEqual(staff);
    expect(await get(`${from}/two`, 'default', 'partner', 'staff')).toEqual(staff);
    expect(await get(`${from}/two`, 'default', 'partner')).toEqual({
      status: 200,
      json: { realm: 'partner', roles: ['partner'] },
    });
    expect(await get(`${from}/open`, 'default', 'staff')).toEqual({ status: 200, json: { realm: 'staff' } });
  });
});

describe.each(SERVERS)('a route of one realm on %s that asks a service of another', (adapter) => {
  let realms: RealmApp;
  let cookie: string;

  beforeAll(async () => {
    realms = await startRealms(adapter, undefined, { partner: { http: { noStore: false } } }, [Mixed]);
    ({ cookie } = await signInAs(realms.app, 'alice', { realm: 'staff' }));
  });
  afterAll(closeApps);

  it('is kept by no cache where its own realm says so', async () => {
    const { status, headers } = await realms.browser().get('/mixed/private', { cookie });
    expect([status, headers['cache-control']]).toEqual([200, 'no-store']);
  });

  it('has no data of its session changed', async () => {
    const { json } = await realms.browser().get('/mixed/update', { cookie });
    expect(json).toEqual({ code: 'session_required', data: {} });
  });
});
