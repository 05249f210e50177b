import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { UseFilters, UseGuards } from '@nestjs/common';
import { SubscribeMessage, WebSocketGateway, type WsResponse } from '@nestjs/websockets';
import {
  CurrentSession,
  Realm,
  SessionAuthErrorFilter,
  SessionAuthGuard,
  SessionLifecycleService,
  realmToken,
  type Session,
} from 'nestjs-session-auth';
import { signInAs } from 'nestjs-session-auth/testing';
import { ADAPTERS } from '../support/http-server.js';
import { ALICE, startNode, type SocketNode, type SocketSetup } from '../support/socket-app.js';
import { connect, SOCKETS, type SocketClient } from '../support/socket-client.js';
import { handled, note } from '../support/socket-gateway.js';

const refused = (code: string, more: object = {}): object => ({
  code,
  message: expect.any(String),
  realm: 'default',
  ...more,
});

const REQUIRED = refused('session_required');
/** A filter does not know the handler, and so not the realm. */
const BY_SERVICE = { code: 'invalid_user', message: 'Internal server error' };
const RECENT = refused('recent_authentication_required');

/**
 * Each message, and what it is answered: without a session, with one that lacks what is asked for, with one that has
 * all.
 */
const MESSAGES: Readonly<Record<string, readonly [anonymous: unknown, weak: unknown, strong: unknown]>> = {
  unmarked: ['unmarked', 'unmarked', 'unmarked'],
  public: [null, 'alice', 'alice'],
  current: [null, 'alice', 'alice'],
  guarded: [REQUIRED, { userId: 'alice', roles: ['customer'] }, { userId: 'alice', roles: ['boss'] }],
  roles: [REQUIRED, refused('forbidden'), 'roles'],
  recent: [REQUIRED, RECENT, 'recent'],
  full: [REQUIRED, RECENT, 'full'],
  factor: [REQUIRED, refused('further_factor_required', { factors: ['totp'] }), 'factor'],
  user: [REQUIRED, 'alice', 'alice'],
  csrf: [REQUIRED, 'csrf', 'csrf'],
  service: [REQUIRED, BY_SERVICE, BY_SERVICE],
};

/** By a guard or a decorator: what a service refuses, it refuses in the handler. */
const isRefusal = (answer: unknown): boolean => typeof answer === 'object' && answer !== null && 'realm' in answer;

/** The gateway of two realms: what each handler is of, and what it sees. */
@UseFilters(SessionAuthErrorFilter)
@UseGuards(SessionAuthGuard)
@WebSocketGateway()
class TwoRealmsGateway {
  @SubscribeMessage('default')
  ofDefault(@CurrentSession() { realm, userId }: Session): WsResponse {
    return note('default', { realm, userId });
  }

  @Realm('staff')
  @SubscribeMessage('staff')
  ofStaff(@CurrentSession() { realm, userId }: Session): WsResponse {
    return note('staff', { realm, userId });
  }

  @Realm('staff', 'default')
  @SubscribeMessage('either')
  ofEither(@CurrentSession() { realm, userId }: Session): WsResponse {
    return note('either', { realm, userId });
  }
}

const EVERY = ADAPTERS.flatMap((adapter) => SOCKETS.map((sockets) => ({ adapter, sockets })));

describe.each(EVERY)('messages of $sockets on $adapter', ({ adapter, sockets }) => {
  let node: SocketNode;
  const clients: SocketClient[] = [];

  beforeEach(() => void handled.splice(0));

  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await node.app.close();
  });

  const start = async (setup: Partial<SocketSetup>): Promise<void> => {
    node = await startNode({ adapter: adapter, sockets: sockets, ...setup });
  };

  const open = async (headers: Readonly<Record<string, string>> = {}): Promise<SocketClient> => {
    const client = await connect(sockets, node.port, headers);
    clients.push(client);
    return client;
  };

  const answersTo = async (client: SocketClient, answerOf: (name: string) => unknown): Promise<void> => {
    for (const name of Object.keys(MESSAGES)) {
      handled.length = 0;
      const expected = answerOf(name);
      expect([name, await client.ask(name)]).toEqual([name, expected]);
      expect(handled).toEqual(isRefusal(expected) ? [] : [name]);
    }
  };

  const openAll = async (): Promise<readonly [SocketClient, SocketClient, SocketClient]> => {
    const old = new Date(node.clock.now() - 3_600_000);
    const weak = await signInAs(node.app, ALICE, { authentication: 'remember-me', authenticatedAt: old });
    const strong = await signInAs(node.app, { ...ALICE, roles: ['boss'] }, { factors: ['totp'] });
    return [await open(), await open(weak.headers), await open(strong.headers)];
  };

  it('pass guards and decorators as requests do, without a CSRF token, and run no handler when they are refused', async () => {
    await start({ connections: { anonymous: 'allow' } });
    const all = await openAll();
    for (const [place, client] of all.entries()) await answersTo(client, (name) => MESSAGES[name]![place]);
  });

  it('are all guarded by global guards unless they are @Public(), and still need no CSRF token', async () => {
    await start({ connections: { anonymous: 'allow' }, options: { global: true, csrf: { global: true } } });
    const all = await openAll();
    for (const [place, client] of all.entries())
      await answersTo(client, (name) => (name === 'unmarked' && place === 0 ? REQUIRED : MESSAGES[name]![place]));
  });

  it('are of the realm of their handler, though one connection has sessions of several', async () => {
    const realm = ['default', 'staff'];
    await start({ staff: {}, connections: { realm }, gateways: [TwoRealmsGateway] });
    const customer = await signInAs(node.app, ALICE);
    const clerk = await signInAs(node.app, { ...ALICE, id: 'bob' }, { realm: 'staff' });
    const both = await open({ cookie: `${customer.cookie}; ${clerk.cookie}` });
    expect(await both.ask('default')).toEqual({ realm: 'default', userId: 'alice' });
    expect(await both.ask('staff')).toEqual({ realm: 'staff', userId: 'bob' });
    expect(await both.ask('either')).toEqual({ realm: 'staff', userId: 'bob' });
    const one = await open({ cookie: customer.cookie });
    expect(await one.ask('either')).toEqual({ realm: 'default', userId: 'alice' });
    handled.length = 0;
    expect(await one.ask('staff')).toEqual({ ...REQUIRED, realm: 'staff' });
    expect(handled).toEqual([]);
    const lifecycle = node.app.get<SessionLifecycleService>(realmToken('staff', SessionLifecycleService));
    await lifecycle.revoke('bob', clerk.session.id);
    await both.closed;
    expect(await one.ask('default')).toEqual({ realm: 'default', userId: 'alice' });
  });
});
