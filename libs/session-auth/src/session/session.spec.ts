import { describe, expect, it, jest } from '@jest/globals';
import { inspect } from 'node:util';
import { digestOf, handleOf, hashOf, issueNextSessionToken, issueSessionToken } from '../crypto/session-token.js';
import type { SessionRecord } from './session-record.js';
import { Session, type FoundBy, type SessionSource } from './session.js';

const NOW = Date.UTC(2026, 0, 1, 12);
const DIGEST = digestOf(issueSessionToken('alice'));
const RECORD: SessionRecord = {
  digest: DIGEST,
  id: handleOf(DIGEST),
  userId: 'alice',
  email: 'alice@example.com',
  roles: ['customer'],
  createdAt: NOW,
  authenticatedAt: NOW + 1,
  authentication: 'password',
  factors: { totp: NOW + 6 },
  upstream: 'digest-of-provider',
  rotatedAt: NOW + 2,
  device: 'digest-of-device',
  lastActivityAt: NOW + 3,
  expiresAt: NOW + 4,
  absoluteExpiresAt: NOW + 5,
  ip: '192.0.2.1',
  userAgent: 'test/1.0',
  fingerprint: 'digest-of-traits',
  data: { theme: 'private-theme' },
};
const ANONYMOUS: SessionRecord = {
  ...RECORD,
  userId: undefined,
  email: undefined,
  authenticatedAt: undefined,
  authentication: undefined,
  roles: [],
};
const notAskedFor = (): never => {
  throw new Error('not asked for');
};
const source = (asked: Partial<SessionSource> = {}): SessionSource => ({
  realm: 'default',
  update: notAskedFor,
  signalOf: notAskedFor,
  ...asked,
});
const open = (record = RECORD, update?: SessionSource['update']): Session =>
  new Session(record, source(update && { update }));

/** The token before the present one. */
const BEFORE = digestOf(issueNextSessionToken(RECORD.digest));
const SUPERSEDED: FoundBy = {
  digest: BEFORE,
  standing: { kind: 'superseded', token: { hash: hashOf(BEFORE), kind: 'superseded', at: NOW + 10, rolesSince: 0 } },
};

describe('Session', () => {
  it('shows its record by property, times as dates', () => {
    const session = open();
    const { id, realm, userId, email, roles, authentication, ip, userAgent, data } = session;
    expect({ id, realm, userId, email, roles, authentication, ip, userAgent, data }).toEqual({
      id: RECORD.id,
      realm: 'default',
      userId: 'alice',
      email: 'alice@example.com',
      roles: ['customer'],
      authentication: 'password',
      ip: '192.0.2.1',
      userAgent: 'test/1.0',
      data: { theme: 'private-theme' },
    });
    const { createdAt, authenticatedAt, lastActivityAt, expiresAt, absoluteExpiresAt } = session;
    expect([createdAt, authenticatedAt, lastActivityAt, expiresAt, absoluteExpiresAt].map(Number)).toEqual([
      NOW,
      NOW + 1,
      NOW + 3,
      NOW + 4,
      NOW + 5,
    ]);
  });

  it('of nobody has no user and no time of authentication', () => {
    const { userId, email, authenticatedAt, authentication } = open(ANONYMOUS);
    expect([userId, email, authenticatedAt, authentication]).toEqual([undefined, undefined, undefined, undefined]);
  });

  it('tells further factors by name, and no name finds what every object has', () => {
    const { factors } = open();
    expect(factors).toEqual({ totp: new Date(NOW + 6) });
    expect(['constructor', 'toString'].filter((name) => name in factors)).toEqual([]);
    const none = open({ ...RECORD, factors: undefined });
    expect([none.factors, none.toJSON().factors]).toEqual([{}, {}]);
  });

  it('says in JSON what its record says, whatever a handler does to what it was given', () => {
    const session = open();
    const before = session.toJSON();
    session.expiresAt.setFullYear(2000);
    Object.assign(session, { userId: 'bob', roles: ['admin'] });
    expect(session.toJSON()).toEqual(before);
  });

  it('shows as properties of its own what it shows as JSON, for serializers that look at nothing else', () => {
    const session = open();
    expect(JSON.parse(JSON.stringify({ ...session }))).toEqual(JSON.parse(JSON.stringify(session)));
    expect(Object.keys(session)).toEqual(Object.keys(session.toJSON()));
  });

  it('turns to JSON with what may be shown, and nothing else', () => {
    expect(JSON.parse(JSON.stringify(open()))).toEqual({
      id: RECORD.id,
      realm: 'default',
      userId: 'alice',
      email: 'alice@example.com',
      roles: ['customer'],
      createdAt: '2026-01-01T12:00:00.000Z',
      authenticatedAt: '2026-01-01T12:00:00.001Z',
      authentication: 'password',
      factors: { totp: '2026-01-01T12:00:00.006Z' },
      lastActivityAt: '2026-01-01T12:00:00.003Z',
      expiresAt: '2026-01-01T12:00:00.004Z',
      absoluteExpiresAt: '2026-01-01T12:00:00.005Z',
      ip: '192.0.2.1',
      userAgent: 'test/1.0',
    });
  });

  it('of nobody turns to JSON without what only a user has', () => {
    const view = JSON.parse(JSON.stringify(open(ANONYMOUS))) as object;
    expect(Object.keys(view)).toEqual([
      'id',
      'realm',
      'roles',
      'createdAt',
      'factors',
      'lastActivityAt',
      'expiresAt',
      'absoluteExpiresAt',
      'ip',
      'userAgent',
    ]);
  });

  it.each<[string, (session: Session) => string]>([
    ['JSON', (session) => JSON.stringify({ session })],
    ['inspect', (session) => inspect({ session }, { depth: 10, showHidden: true })],
    ['inspect from inside', (session) => inspect(session)],
    ['text', (session) => `${session as unknown as string}`],
    ['its own keys', (session) => JSON.stringify(Object.entries(Object.getOwnPropertyDescriptors(session)))],
  ])('shows neither digest nor fingerprint nor data as %s', (_as, show) => {
    const digests = [
      hashOf(RECORD.digest),
      hashOf(BEFORE),
      'digest-of-traits',
      'digest-of-provider',
      'digest-of-device',
    ];
    for (const secret of [...digests, 'private-theme']) {
      expect(show(new Session(RECORD, source(), SUPERSEDED))).not.toContain(secret);
    }
  });

  it('names itself in a log line', () => {
    expect(inspect(open())).toMatch(/^Session \{/);
    expect(inspect(open())).toContain(RECORD.id);
  });

  describe('update', () => {
    it('hands digest and patch over, and shows the data that the store answered', async () => {
      const updater = jest.fn<SessionSource['update']>().mockResolvedValue({ theme: 'dark', other: 'request' });
      const session = open(RECORD, updater);
      await session.update({ theme: 'dark' });
      expect(updater.mock.calls).toEqual([[RECORD.digest, { theme: 'dark' }]]);
      expect(session.data).toEqual({ theme: 'dark', other: 'request' });
      expect(session.id).toBe(RECORD.id);
    });

    it('goes by the token that the session was found by', async () => {
      const updater = jest.fn<SessionSource['update']>().mockResolvedValue({});
      await new Session(RECORD, source({ update: updater }), SUPERSEDED).update({ theme: 'dark' });
      expect(updater.mock.calls).toEqual([[BEFORE, { theme: 'dark' }]]);
    });

    it('leaves the data as it is when the store refuses', async () => {
      const session = open(RECORD, () => Promise.reject(new Error('refused')));
      await expect(session.update({ theme: 'dark' })).rejects.toThrow('refused');
      expect(session.data).toEqual({ theme: 'private-theme' });
    });

    it('keeps a rotation that took place meanwhile', async () => {
      const digest = digestOf(issueNextSessionToken(RECORD.digest));
      const rotated = { ...RECORD, digest };
      const session: Session = open(RECORD, () => {
        Session.adopt(session, rotated, { digest, standing: { kind: 'present' } }, RECORD.roles);
        return Promise.resolve({ theme: 'dark' });
      });
      await session.update({ theme: 'dark' });
      expect(Session.recordOf(session)).toEqual({ ...rotated, data: { theme: 'dark' } });
    });
  });

  describe('signal', () => {
    it('is that of the session for what it was read for, and nothing asks for it before', () => {
      const { signal } = new AbortController();
      const signalOf = jest.fn<SessionSource['signalOf']>().mockReturnValue(signal);
      const scope = { client: { ip: '192.0.2.1' } };
      const session = new Session(RECORD, source({ signalOf }), SUPERSEDED, scope);
      expect([JSON.stringify(session), inspect(session), Object.keys(session)].join()).not.toContain('signal');
      expect(signalOf.mock.calls).toEqual([]);
      expect(session.signal).toBe(signal);
      expect(signalOf.mock.calls).toEqual([[RECORD, scope]]);
    });

    it('goes by the request that a session is told to belong to, unless it was read for another', () => {
      const signalOf = jest.fn<SessionSource['signalOf']>().mockReturnValue(new AbortController().signal);
      const [first, second] = [{ client: { ip: '192.0.2.1' } }, { client: { ip: '192.0.2.2' } }];
      const session: Session = new Session(RECORD, source({ signalOf }));
      for (const scope of [first, second]) Session.attach(session, scope);
      void session.signal;
      expect(signalOf.mock.calls[0]![1]).toBe(first);
    });
  });

  describe('for the services of the library', () => {
    it('knows by which token it was found: the present one, where it was found in a list', () => {
      expect(Session.foundBy(open())).toEqual({ digest: RECORD.digest, standing: { kind: 'present' } });
      expect(Session.foundBy(new Session(RECORD, source(), SUPERSEDED))).toBe(SUPERSEDED);
    });

    it('has the roles of the token that it was found by: none that was gained since', () => {
      const record = { ...RECORD, roles: ['customer', 'admin'], formerRoles: [['customer', 'auditor']], rolesSince: 1 };
      const found = (foundBy?: FoundBy): Session => new Session(record, source(), foundBy);
      const late = found(SUPERSEDED);
      expect([late.roles, late.toJSON().roles]).toEqual([['customer'], ['customer']]);
      const present: FoundBy = { digest: record.digest, standing: { kind: 'present' } };
      for (const session of [found(present), found()]) expect(session.roles).toEqual(['customer', 'admin']);
    });

    it('adopts the record of a rotation, with the token and the roles that the request goes on with', () => {
      const session: Session = new Session(RECORD, source(), SUPERSEDED);
      const digest = digestOf(issueNextSessionToken(RECORD.digest));
      const rotated = { ...RECORD, digest, roles: ['customer', 'admin'] };
      const foundBy: FoundBy = { digest, standing: { kind: 'present' } };
      Session.adopt(session, rotated, foundBy, ['admin']);
      expect(Session.recordOf(session)).toBe(rotated);
      expect(Session.foundBy(session)).toBe(foundBy);
      expect([session.roles, session.toJSON().roles]).toEqual([['admin'], ['admin']]);
    });
  });
});
