import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { IncomingMessage, ServerResponse, type IncomingHttpHeaders } from 'node:http';
import { Socket } from 'node:net';
import { markOfUser } from '../crypto/identity-mark.js';
import { KeyRing } from '../crypto/key-ring.js';
import { SessionEventPublisher } from '../events/event-publisher.js';
import type { SessionEvent } from '../events/session-event.js';
import { SessionLifecycleService } from '../session/session-lifecycle.service.js';
import { DEFAULT_SESSION_LIFETIME, type SessionLifetime } from '../session/lifetime.options.js';
import type { Session } from '../session/session.js';
import { MemorySessionStore } from '../storage/memory/memory-session-store.js';
import type { SessionUser, SessionUserProvider } from '../users/session-user-provider.js';
import type { CookieAttributes } from '../cookies/cookie.options.js';
import { Fingerprint } from '../fingerprint/fingerprint.js';
import type { FingerprintSignal } from '../fingerprint/fingerprint.options.js';
import { HttpExchange, type AdapterRequest } from './http-exchange.js';
import { PreSessionCookie } from '../cookies/pre-session-cookie.js';
import { RequestSession, type RememberedLoginResumer, type RequestSessionParts } from './request-session.js';
import { findRequestSession, getRequestSession, RequestSessions } from './request-sessions.js';
import { SessionCookie } from '../cookies/session-cookie.js';
import { SessionGuessing } from '../throttle/session-guessing.js';

const START = Date.UTC(2026, 0, 1);
const MINUTE = 60_000;
const SECRET = 'a secret that is long enough for tests';
const ALICE: SessionUser = { id: 'alice', roles: ['customer'] };
const EXPIRED = /^session=; Max-Age=0; Path=\/; Expires=Thu, 01 Jan 1970 00:00:00 GMT/;

let now: number;
let events: SessionEvent[];
let store: MemorySessionStore;
let lifecycle: SessionLifecycleService;
let cookie: SessionCookie;
let preSessionCookie: PreSessionCookie;
let publisher: SessionEventPublisher;

const clock = { now: () => now };

function configure({
  lifetime = {},
  maxAge,
  secrets = [SECRET],
}: {
  lifetime?: Partial<SessionLifetime>;
  maxAge?: CookieAttributes['maxAge'];
  secrets?: readonly string[];
} = {}): void {
  const settings = {
    lifetime: { ...DEFAULT_SESSION_LIFETIME, ...lifetime },
    concurrency: { max: 3, onLimit: 'evict-oldest' as const },
    storeTimeout: 2000,
    maxDataSize: 1000,
    upstreamKeys: [Buffer.alloc(32, 1)],
  };
  publisher = new SessionEventPublisher(clock, { record: (event) => void events.push(event) });
  lifecycle = new SessionLifecycleService(store, settings, clock, publisher);
  const keys = new KeyRing(secrets);
  const attributes: CookieAttributes = {
    name: 'session',
    path: '/',
    domain: undefined,
    sameSite: 'lax',
    secure: true,
    partitioned: false,
    maxAge,
  };
  cookie = new SessionCookie(keys, {
    attributes,
    absolute: settings.lifetime.absolute,
    idle: settings.lifetime.idle,
  });
  preSessionCookie = new PreSessionCookie(keys, attributes, settings.lifetime.absolute);
}

interface Given {
  readonly remembered?: RememberedLoginResumer;
  readonly users?: SessionUserProvider;
  readonly headersSent?: boolean;
  readonly fingerprint?: Fingerprint;
  readonly headers?: IncomingHttpHeaders;
}

function makeParts({ users, fingerprint, remembered }: Given = {}): RequestSessionParts {
  return {
    cookie,
    preSessionCookie,
    fingerprint,
    guessing: new SessionGuessing(publisher, clock),
    events: publisher,
    lifecycle,
    clock,
    users,
    remembered,
  };
}

/** A request with a cookie, and what its response will say. */
function makeRequest(
  sent: string | undefined,
  given: Given = {},
): { bound: RequestSession; readonly setCookies: readonly string[]; readonly vary: unknown } {
  const response = new ServerResponse(new IncomingMessage(new Socket()));
  if (given.headersSent) response.writeHead(200);
  const headers = { ...given.headers, ...(sent === undefined ? {} : { cookie: sent }) };
  const exchange = new HttpExchange({ headers }, response);
  const writeHead = (): ServerResponse => (response.headersSent ? response : response.writeHead(200));
  return {
    bound: new RequestSession(exchange, makeParts(given)),
    get setCookies() {
      return (writeHead().getHeader('set-cookie') ?? []) as string[];
    },
    get vary() {
      return writeHead().getHeader('vary');
    },
  };
}

/** Logs Alice in; answers what her browser sends from then on, and the token. */
async function logIn(): Promise<{ sent: string; token: string }> {
  const { token, session } = await lifecycle.create({ user: ALICE });
  return { sent: pairOf(cookie.issue(token, session, now)), token };
}

function pairOf(setCookie: string): string {
  return setCookie.slice(0, setCookie.indexOf(';'));
}

function users(
  answer: SessionUser | null | undefined,
): SessionUserProvider & { readonly findById: jest.Mock<(id: string) => Promise<SessionUser | null | undefined>> } {
  return { findByEmail: () => Promise.reject(new Error('not asked for')), findById: jest.fn(async () => answer) };
}

beforeEach(() => {
  now = START;
  events = [];
  store = new MemorySessionStore();
  configure();
});

describe('RequestSession', () => {
  describe('load', () => {
    it('reads the store once a request, when first asked, and writes nothing', async () => {
      const { sent, token } = await logIn();
      const find = jest.spyOn(store, 'find');
      const request = makeRequest(sent);
      const { bound } = request;
      expect(bound.token).toBe(token);
      expect(find).not.toHaveBeenCalled();
      expect(bound.loaded).toBeUndefined();
      const [first, second] = await Promise.all([bound.load(), bound.load()]);
      expect(first?.userId).toBe('alice');
      expect(second).toBe(first);
      expect(bound.loaded).toBe(first);
      expect(find).toHaveBeenCalledTimes(1);
      expect(request.setCookies).toEqual([]);
    });

    it('has no session at hand that was given up, or replaced, while it was read', async () => {
      const { sent } = await logIn();
      const { bound } = makeRequest(sent);
      const loading = bound.load();
      bound.clear();
      expect((await loading)?.userId).toBe('alice');
      expect(bound.loaded).toBeUndefined();
      const { bound: other } = makeRequest(sent);
      const slow = other.load();
      const issued = await lifecycle.create({ user: ALICE });
      other.replace(issued);
      await slow;
      expect(other.loaded).toBe(issued.session);
    });

    it.each([undefined, '', 'theme=dark', 'session=forged'])('asks no store for the cookie %p', async (sent) => {
      const find = jest.spyOn(store, 'find');
      const request = makeRequest(sent);
      const { bound } = request;
      expect(await bound.load()).toBeUndefined();
      expect(bound.token).toBeUndefined();
      expect(find).not.toHaveBeenCalled();
      expect(request.setCookies).toEqual([]);
    });

    it('answers undefined for a session that has ended, and leaves the cookie alone', async () => {
      const { sent, token } = await logIn();
      await lifecycle.destroy(token);
      const request = makeRequest(sent);
      const { bound } = request;
      expect(await bound.load()).toBeUndefined();
      expect(request.setCookies).toEqual([]);
    });

    it('seals a cookie again that an older key opened', async () => {
      const { sent, token } = await logIn();
      configure({ secrets: ['the next secret that is long enough too', SECRET] });
      const request = makeRequest(sent);
      const { bound } = request;
      await bound.load();
      expect(request.setCookies).toHaveLength(1);
      expect(cookie.read(pairOf(request.setCookies[0]!), now)).toMatchObject({ token, outdated: false });
    });

    it('writes a cookie that follows the idle expiry when that has moved, and only then', async () => {
      configure({ maxAge: 'idle' });
      const { sent, token } = await logIn();
      now += 30_000;
      const early = makeRequest(sent);
      await early.bound.load();
      expect(early.setCookies).toEqual([]);
      now += 30_000;
      const due = makeRequest(sent);
      await due.bound.load();
      expect(due.setCookies).toEqual([expect.stringContaining('Max-Age=3600')]);
      expect(cookie.read(pairOf(due.setCookies[0]!), now)?.token).toBe(token);
    });

    it('rotates a token that is due, and writes its cookie', async () => {
      configure({ lifetime: { rotateEvery: 5 * MINUTE } });
      const { sent, token } = await logIn();
      now += 5 * MINUTE;
      const request = makeRequest(sent);
      const { bound } = request;
      const session = await bound.load();
      expect(session?.userId).toBe('alice');
      expect(bound.token).not.toBe(token);
      expect(cookie.read(pairOf(request.setCookies[0]!), now)?.token).toBe(bound.token);
      expect(events.at(-1)).toMatchObject({ type: 'session.rotated', reason: 'interval' });

      const late = makeRequest(sent);
      expect((await late.bound.load())?.id).toBe(session?.id);
      expect(late.setCookies).toEqual([]);
    });

    it('writes no cookie where another request rotated first', async () => {
      configure({ lifetime: { rotateEvery: 5 * MINUTE } });
      const { sent } = await logIn();
      now += 5 * MINUTE;
      const parallel = [makeRequest(sent), makeRequest(sent), makeRequest(sent)];
      const sessions = await Promise.all(parallel.map(({ bound }) => bound.load()));
      expect(sessions.every((session) => session?.userId === 'alice')).toBe(true);
      expect(parallel.flatMap(({ setCookies }) => setCookies)).toHaveLength(1);
    });

    it('finds none that ends between being read and being due for a new token', async () => {
      configure({ lifetime: { rotateEvery: 5 * MINUTE } });
      const { sent } = await logIn();
      now += 5 * MINUTE;
      jest.spyOn(store, 'rotate').mockResolvedValueOnce({ status: 'absent' });
      const request = makeRequest(sent);
      expect(await request.bound.load()).toBeUndefined();
      expect(request.setCookies).toEqual([]);
    });

    it('fails where the store does, instead of going on with the old token', async () => {
      configure({ lifetime: { rotateEvery: 5 * MINUTE } });
      const { sent } = await logIn();
      now += 5 * MINUTE;
      jest.spyOn(store, 'rotate').mockRejectedValueOnce(new Error('down'));
      await expect(makeRequest(sent).bound.load()).rejects.toMatchObject({ code: 'session_store_unavailable' });
    });

    it('rotates nothing when the answer is on its way: its cookie could not be told', async () => {
      configure({
        lifetime: { rotateEvery: 5 * MINUTE },
        secrets: ['the next secret that is long enough too', SECRET],
      });
      const { sent, token } = await logIn();
      now += 5 * MINUTE;
      const request = makeRequest(sent, { headersSent: true });
      const { bound } = request;
      expect((await bound.load())?.userId).toBe('alice');
      expect(bound.token).toBe(token);
      expect(request.setCookies).toEqual([]);
    });
  });

  describe('replace and clear', () => {
    it('make a new session the one of the request', async () => {
      const { sent, token } = await logIn();
      const request = makeRequest(sent);
      const { bound } = request;
      await bound.load();
      const issued = await lifecycle.create({ user: { id: 'bob' } });
      bound.replace(issued);
      expect(bound.token).toBe(issued.token);
      expect(issued.token).not.toBe(token);
      expect(await bound.load()).toBe(issued.session);
      expect(cookie.read(pairOf(request.setCookies[0]!), now)?.token).toBe(issued.token);
    });

    it('take the cookie away', async () => {
      const { sent } = await logIn();
      const request = makeRequest(sent);
      const { bound } = request;
      bound.clear();
      expect(bound.token).toBeUndefined();
      expect(await bound.load()).toBeUndefined();
      expect(request.setCookies).toEqual([expect.stringMatching(EXPIRED)]);
    });
  });

  describe('replace', () => {
    it('writes no cookie of a token that has been replaced meanwhile: the newer one is on its way', async () => {
      const { token } = await logIn();
      const session = (await lifecycle.find(token))!;
      const present = makeRequest(undefined);
      present.bound.replace({ token, session });
      expect(present.setCookies).toEqual([expect.stringMatching(/^session=.{50}/)]);
      await lifecycle.rotate(session);
      const superseded = (await lifecycle.find(token))!;
      const late = makeRequest(undefined);
      late.bound.replace({ token, session: superseded });
      expect(late.setCookies).toEqual([]);
      expect(await late.bound.load()).toBe(superseded);
    });
  });

  describe('a remembered device', () => {
    /** Signs Alice in, and notes which requests it was asked for. */
    class Resumer implements RememberedLoginResumer {
      readonly resumed: RequestSession[] = [];
      readonly taken: RequestSession[] = [];

      constructor(private readonly presented = true) {}

      async resume(bound: RequestSession): Promise<Session> {
        this.resumed.push(bound);
        return (await lifecycle.create({ user: ALICE })).session;
      }

      clearCookie(bound: RequestSession): void {
        this.taken.push(bound);
      }

      isSent(): boolean {
        return this.presented;
      }

      isPresented(): boolean {
        return this.presented;
      }
    }

    it('is what a request without a session cookie may still be found by', async () => {
      expect(makeRequest(undefined).bound.isWithoutCookie).toBe(true);
      expect(makeRequest('session=forged').bound.isWithoutCookie).toBe(true);
      expect(makeRequest(undefined, { remembered: new Resumer(false) }).bound.isWithoutCookie).toBe(true);
      expect(makeRequest(undefined, { remembered: new Resumer() }).bound.isWithoutCookie).toBe(false);
      expect(makeRequest((await logIn()).sent, { remembered: new Resumer(false) }).bound.isWithoutCookie).toBe(false);
    });

    it('is signed in where there is no live session, once, and not by who only asks for that', async () => {
      const remembered = new Resumer();
      const { bound } = makeRequest(undefined, { remembered });
      expect(await bound.loadLive()).toBeUndefined();
      expect(remembered.resumed).toEqual([]);
      const [first, second] = await Promise.all([bound.load(), bound.load()]);
      expect(first?.userId).toBe('alice');
      expect(second).toBe(first);
      expect(remembered.resumed).toEqual([bound]);
    });

    it('is not asked where there is a live session, nor when the answer is on its way', async () => {
      const remembered = new Resumer();
      await makeRequest((await logIn()).sent, { remembered }).bound.load();
      expect(await makeRequest(undefined, { remembered, headersSent: true }).bound.load()).toBeUndefined();
      expect(remembered.resumed).toEqual([]);
    });

    it('does not make up for a session that was not this client’s', async () => {
      const remembered = new Resumer();
      const read: FingerprintSignal['read'] = ({ headers }) => headers['user-agent'];
      const signals = [{ name: 'user-agent', onMismatch: 'reject' as const, always: true, read }];
      const fingerprint = new Fingerprint(new KeyRing([SECRET]), signals);
      const login = makeRequest(undefined, { headers: { 'user-agent': 'a' }, fingerprint });
      const { token, session } = await lifecycle.create({ user: ALICE, fingerprint: login.bound.fingerprint });
      const sent = pairOf(cookie.issue(token, session, now));
      const thief = makeRequest(sent, { headers: { 'user-agent': 'b' }, fingerprint, remembered });
      expect(await thief.bound.load()).toBeUndefined();
      expect(remembered.resumed).toEqual([]);
    });

    it('counts as who is signed in by a cookie, and loses it with the session', async () => {
      const { sent } = await logIn();
      for (const [cookies, isPresented, expected] of [
        [undefined, true, true],
        [undefined, false, false],
        [sent, false, true],
      ] as const) {
        expect(makeRequest(cookies, { remembered: new Resumer(isPresented) }).bound.isAuthenticating).toBe(expected);
      }
      expect(makeRequest(undefined).bound.isAuthenticating).toBe(false);
      const remembered = new Resumer();
      const { bound } = makeRequest(sent, { remembered });
      bound.clear();
      expect(remembered.taken).toEqual([bound]);
      expect([bound.token, bound.presentedToken?.length]).toEqual([undefined, 45]);
      expect(bound.presentedUserMark).toEqual(markOfUser('alice'));
      expect(makeRequest(undefined).bound.presentedUserMark).toBeUndefined();
    });
  });

  describe('a cookie that is none of ours', () => {
    it('is counted among the guesses of its client, once a request; a genuine one and none are not', async () => {
      const add = jest.spyOn(SessionGuessing.prototype, 'add');
      const headers = { 'user-agent': 'guesser/1.0' };
      const forged = makeRequest('a=b; session=forged; session=twice', { headers });
      await forged.bound.load();
      expect([forged.bound.token, forged.bound.presentedToken]).toEqual([undefined, undefined]);
      expect(add.mock.calls).toEqual([['forged,twice', { userAgent: 'guesser/1.0' }]]);
      add.mockClear();
      for (const sent of [undefined, 'a=b', 'sessions=1', (await logIn()).sent]) await makeRequest(sent).bound.load();
      expect(add).not.toHaveBeenCalled();
      add.mockRestore();
    });
  });

  describe('vary', () => {
    it('names Cookie once the session was read, and not before', async () => {
      const read = makeRequest(undefined);
      await read.bound.load();
      expect([read.vary, makeRequest(undefined).vary]).toEqual(['Cookie', undefined]);
    });
  });

  describe('the pre-session', () => {
    it('is made on demand, once, and ends with the login', async () => {
      const form = makeRequest(undefined);
      expect(form.bound.preSessionId).toBeUndefined();
      const id = form.bound.ensurePreSession();
      expect([form.bound.ensurePreSession(), form.bound.preSessionId]).toEqual([id, id]);
      expect(form.setCookies).toHaveLength(1);

      const sent = pairOf(form.setCookies[0]!);
      const login = makeRequest(sent);
      expect([login.bound.preSessionId, login.bound.ensurePreSession()]).toEqual([id, id]);
      login.bound.replace(await lifecycle.create({ user: ALICE }));
      expect(login.bound.preSessionId).toBeUndefined();
      expect(login.setCookies).toEqual([
        expect.stringMatching(/^session=.{50}/),
        expect.stringMatching(/^session-csrf=; Max-Age=0;/),
      ]);
    });

    it('ends with the login also where it was made for this very request, or never asked for', async () => {
      const made = makeRequest(undefined);
      const id = made.bound.ensurePreSession();
      const unasked = makeRequest(pairOf(preSessionCookie.issue(id, now)));
      for (const { bound } of [made, unasked]) bound.replace(await lifecycle.create({ user: ALICE }));
      for (const { setCookies } of [made, unasked]) {
        expect(setCookies).toContainEqual(expect.stringMatching(/^session-csrf=; Max-Age=0;/));
      }
    });

    it('is sealed once a request', () => {
      const issue = jest.spyOn(preSessionCookie, 'issue');
      const { bound } = makeRequest(undefined);
      for (let form = 0; form < 3; form += 1) bound.ensurePreSession();
      expect(issue).toHaveBeenCalledTimes(1);
    });

    it('is sealed again under the present key, with the same id', () => {
      const form = makeRequest(undefined);
      const id = form.bound.ensurePreSession();
      configure({ secrets: ['the next secret that is long enough too', SECRET] });
      const later = makeRequest(pairOf(form.setCookies[0]!));
      expect(later.bound.ensurePreSession()).toBe(id);
      expect(preSessionCookie.read(pairOf(later.setCookies[0]!), now)).toEqual({ id, outdated: false });
    });
  });

  describe('the fingerprint', () => {
    const browser = { 'user-agent': 'test/1.0' };
    const other = { 'user-agent': 'other/1.0' };

    function makeFingerprint(onMismatch: FingerprintSignal['onMismatch']): Fingerprint {
      const read: FingerprintSignal['read'] = ({ headers }) => headers['user-agent'];
      return new Fingerprint(new KeyRing([SECRET]), [{ name: 'user-agent', onMismatch, always: true, read }]);
    }

    async function logInFrom(headers: IncomingHttpHeaders, fingerprint: Fingerprint): Promise<string> {
      const { bound } = makeRequest(undefined, { headers, fingerprint });
      const { token, session } = await lifecycle.create({ user: ALICE, fingerprint: bound.fingerprint });
      events.length = 0;
      return pairOf(cookie.issue(token, session, now));
    }

    it('is taken of the signals that are known of a client, or of none where it is off', () => {
      const fingerprint = makeFingerprint('destroy');
      const { bound } = makeRequest(undefined, { headers: browser, fingerprint });
      expect(bound.fingerprint).toMatch(/^[\w-]{20}$/);
      expect(bound.fingerprintBy((signal) => signal === 'user-agent')).toBe(bound.fingerprint);
      expect(bound.fingerprintBy(() => false)).toBe('');
      expect(makeRequest(undefined).bound.fingerprint).toBeUndefined();
      expect(makeRequest(undefined).bound.fingerprintBy(() => true)).toBeUndefined();
    });

    it('lets the same client go on, and one from before the check was on', async () => {
      const fingerprint = makeFingerprint('destroy');
      const sent = await logInFrom(browser, fingerprint);
      expect(await makeRequest(sent, { headers: browser, fingerprint }).bound.load()).toBeDefined();
      expect(await makeRequest(sent, { headers: other }).bound.load()).toBeDefined();
      const before = (await logIn()).sent;
      expect(await makeRequest(before, { headers: other, fingerprint }).bound.load()).toBeDefined();
      expect(makeRequest(sent).bound.fingerprint).toBeUndefined();
    });

    it.each([
      ['destroy', false, false],
      ['reject', false, true],
      ['report', true, true],
    ] as const)('%s: another client %p, the session lives on %p', async (action, letIn, livesOn) => {
      const fingerprint = makeFingerprint(action);
      const sent = await logInFrom(browser, fingerprint);
      const thief = makeRequest(sent, { headers: other, fingerprint });
      expect((await thief.bound.load()) !== undefined).toBe(letIn);
      expect(events[0]).toMatchObject({
        type: 'session.fingerprint_mismatch',
        userId: 'alice',
        signals: ['user-agent'],
        action,
        client: { userAgent: 'other/1.0' },
      });
      const owner = makeRequest(sent, { headers: browser, fingerprint });
      expect((await owner.bound.load()) !== undefined).toBe(livesOn);
      expect(thief.setCookies).toEqual(action === 'destroy' ? [expect.stringMatching(EXPIRED)] : []);
    });

    it('ends the session also when the answer is on its way', async () => {
      const fingerprint = makeFingerprint('destroy');
      const sent = await logInFrom(browser, fingerprint);
      const thief = makeRequest(sent, { headers: other, fingerprint, headersSent: true });
      expect(await thief.bound.load()).toBeUndefined();
      expect(thief.setCookies).toEqual([]);
      expect(events.at(-1)).toMatchObject({ type: 'session.destroyed', reason: 'fingerprint_mismatch' });
    });
  });

  describe('loadUser', () => {
    it('asks the application once a request', async () => {
      const provider = users(ALICE);
      const { bound } = makeRequest((await logIn()).sent, { users: provider });
      expect(await Promise.all([bound.loadUser(), bound.loadUser()])).toEqual([ALICE, ALICE]);
      expect(provider.findById.mock.calls).toEqual([['alice']]);
    });

    it('asks nobody without a session of a user', async () => {
      const { token, session } = await lifecycle.create({});
      const anonymous = pairOf(cookie.issue(token, session, now));
      for (const sent of [undefined, anonymous]) {
        const provider = users(ALICE);
        expect(await makeRequest(sent, { users: provider }).bound.loadUser()).toBeUndefined();
        expect(provider.findById.mock.calls).toEqual([]);
      }
    });

    it('cannot without users', async () => {
      const { bound } = makeRequest((await logIn()).sent);
      await expect(bound.loadUser()).rejects.toMatchObject({
        code: 'not_configured',
        message: 'SessionAuthModule was given no users provider',
      });
    });

    it.each([
      ['gone', undefined],
      ['null', null],
      ['disabled', { ...ALICE, disabled: true }],
    ])('signs a user who is %s out everywhere', async (_what, answer) => {
      const { sent } = await logIn();
      const other = await logIn();
      const request = makeRequest(sent, { users: users(answer) });
      const { bound } = request;
      expect(await bound.loadUser()).toBeUndefined();
      expect(await bound.load()).toBeUndefined();
      expect(request.setCookies).toEqual([expect.stringMatching(EXPIRED)]);
      expect(await makeRequest(other.sent).bound.load()).toBeUndefined();
      const destroyed = events.filter((event) => event.type === 'session.destroyed');
      expect(destroyed.map(({ reason }) => reason)).toEqual(['account_disabled', 'account_disabled']);
    });
  });
});

describe('the session bound to a request', () => {
  const response = { getHeader: () => undefined, removeHeader: () => undefined };

  function contextOf(request: object): Parameters<RequestSessions['of']>[0] {
    const http = { getRequest: () => request, getResponse: () => response };
    return { switchToHttp: () => http } as never;
  }

  const make = (): RequestSessions => new RequestSessions(makeParts());

  it('is made once, and found from the raw message and its wrapper', () => {
    const sessions = make();
    const raw = { headers: {} };
    const wrapper: AdapterRequest = { raw: raw as never, headers: {} };
    const bound = sessions.of(contextOf(wrapper));
    expect(sessions.of(contextOf(wrapper))).toBe(bound);
    expect([findRequestSession(raw), findRequestSession(wrapper), getRequestSession(raw)]).toEqual([
      bound,
      bound,
      bound,
    ]);
  });

  it('is found on a request whose raw is none', () => {
    for (const raw of [null, 'body', undefined]) {
      const request = { raw, headers: {} };
      const bound = make().of(contextOf(request));
      expect(getRequestSession(request)).toBe(bound);
    }
  });

  it('is missing, with a code, before a guard has seen the request', () => {
    expect(findRequestSession({})).toBeUndefined();
    expect(() => getRequestSession({})).toThrow(
      expect.objectContaining({
        code: 'request_not_bound',
        message: expect.stringContaining('ask from guards on, not in middleware'),
      }),
    );
  });
});
