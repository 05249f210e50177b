import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { IncomingMessage, ServerResponse, type IncomingHttpHeaders } from 'node:http';
import { Socket } from 'node:net';
import { cookieAttributes } from '../../test/fixtures/cookie-attributes.js';
import { sessionServices, type SessionServices } from '../../test/fixtures/session-services.js';
import { CookieSet } from './cookie-set.js';
import type { CookieAttributes } from '../cookies/cookie.options.js';
import { KeyRing } from '../crypto/key-ring.js';
import { SessionEventPublisher } from '../events/event-publisher.js';
import type { SessionEvent } from '../events/session-event.js';
import type { FingerprintSignal } from '../fingerprint/fingerprint.options.js';
import { Fingerprint } from '../fingerprint/fingerprint.js';
import { DEFAULT_REMEMBER_ME } from '../remember-me/remember-me.options.js';
import { DEFAULT_SESSION_LIFETIME, type SessionLifetime } from '../session/lifetime.options.js';
import type { IssuedSession } from '../session/session-changes.js';
import type { SessionLifecycleService } from '../session/session-lifecycle.service.js';
import { MemorySessionStore } from '../storage/memory/memory-session-store.js';
import { SessionGuessing } from '../throttle/session-guessing.js';
import type { SessionUser, SessionUserProvider } from '../users/session-user-provider.js';
import { HttpExchange, type AdapterRequest } from './http-exchange.js';
import { getRequestSession, RequestSession, RequestSessionFactory } from './request-session.js';
import { SessionResumer, type ResumableRequest } from './session-resumer.js';
import { markOfUser } from '../session/session.js';

const START = Date.UTC(2026, 0, 1);
const MINUTE = 60_000;
const SECRET = 'a secret that is long enough for tests';
const ALICE: SessionUser = { id: 'alice', roles: ['customer'] };
const EXPIRED = /^session=; Max-Age=0; Path=\/; Expires=Thu, 01 Jan 1970 00:00:00 GMT/;

let now: number;
let events: SessionEvent[];
let store: MemorySessionStore;
let services: SessionServices;
let lifecycle: SessionLifecycleService;
let cookies: CookieSet;
let publisher: SessionEventPublisher;

const clock = { now: () => now };

function configure({
  lifetime: changes = {},
  maxAge,
  secrets = [SECRET],
}: {
  lifetime?: Partial<SessionLifetime>;
  maxAge?: CookieAttributes['maxAge'];
  secrets?: readonly string[];
} = {}): void {
  const lifetime = { ...DEFAULT_SESSION_LIFETIME, ...changes };
  publisher = new SessionEventPublisher(clock, { record: (event) => void events.push(event) });
  services = sessionServices({ store, clock, events: publisher, lifetime });
  ({ lifecycle } = services);
  cookies = new CookieSet(
    new KeyRing(secrets),
    cookieAttributes({ name: 'session', maxAge }),
    lifetime,
    DEFAULT_REMEMBER_ME,
    undefined,
  );
}

interface Given {
  readonly resumer?: SessionResumer;
  readonly users?: SessionUserProvider;
  readonly headersSent?: boolean;
  readonly fingerprint?: Fingerprint;
  readonly headers?: IncomingHttpHeaders;
}

function makeFactory({ users, fingerprint, resumer }: Given = {}): RequestSessionFactory {
  const { reader, changes, ofUsers } = services;
  const guessing = new SessionGuessing(publisher, clock);
  return new RequestSessionFactory(
    cookies,
    reader,
    changes,
    ofUsers,
    guessing,
    clock,
    publisher,
    fingerprint,
    resumer,
    users,
  );
}

/** A request with a cookie, and what its response will say. */
function makeRequest(
  sent: string | undefined,
  given: Given = {},
): { requestSession: RequestSession; readonly setCookies: readonly string[]; readonly vary: unknown } {
  const response = new ServerResponse(new IncomingMessage(new Socket()));
  if (given.headersSent) response.writeHead(200);
  const headers = { ...given.headers, ...(sent === undefined ? {} : { cookie: sent }) };
  const exchange = new HttpExchange({ headers }, response);
  const writeHead = (): ServerResponse => (response.headersSent ? response : response.writeHead(200));
  return {
    requestSession: new RequestSession(exchange, makeFactory(given)),
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
  return { sent: pairOf(cookies.session.issue(token, session, now)), token };
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
      const { requestSession } = request;
      expect(requestSession.token).toBe(token);
      expect(find).not.toHaveBeenCalled();
      const [first, second] = await Promise.all([requestSession.load(), requestSession.load()]);
      expect(first?.userId).toBe('alice');
      expect(second).toBe(first);
      expect(find).toHaveBeenCalledTimes(1);
      expect(request.setCookies).toEqual([]);
    });

    it('hands out no session that was given up, or replaced, while it was read', async () => {
      const { sent } = await logIn();
      const { requestSession } = makeRequest(sent);
      const loading = requestSession.load();
      requestSession.clear();
      expect((await loading)?.userId).toBe('alice');
      expect(await requestSession.load()).toBeUndefined();
      const { requestSession: other } = makeRequest(sent);
      const slow = other.load();
      const issued = await lifecycle.create({ user: ALICE });
      other.replace(issued);
      await slow;
      expect(await other.load()).toBe(issued.session);
    });

    it.each([undefined, '', 'theme=dark', 'session=forged'])('asks no store for the cookie %p', async (sent) => {
      const find = jest.spyOn(store, 'find');
      const request = makeRequest(sent);
      const { requestSession } = request;
      expect(await requestSession.load()).toBeUndefined();
      expect(requestSession.token).toBeUndefined();
      expect(find).not.toHaveBeenCalled();
      expect(request.setCookies).toEqual([]);
    });

    it('answers undefined for a session that has ended, and leaves the cookie alone', async () => {
      const { sent, token } = await logIn();
      await lifecycle.destroy(token);
      const request = makeRequest(sent);
      const { requestSession } = request;
      expect(await requestSession.load()).toBeUndefined();
      expect(request.setCookies).toEqual([]);
    });

    it('seals a cookie again that an older key opened', async () => {
      const { sent, token } = await logIn();
      configure({ secrets: ['the next secret that is long enough too', SECRET] });
      const request = makeRequest(sent);
      const { requestSession } = request;
      await requestSession.load();
      expect(request.setCookies).toHaveLength(1);
      expect(cookies.session.find(pairOf(request.setCookies[0]!), now)).toMatchObject({
        content: { token },
        outdated: false,
      });
    });

    it('writes a cookie that follows the idle expiry when that has moved, and only then', async () => {
      configure({ maxAge: 'idle' });
      const { sent, token } = await logIn();
      now += 30_000;
      const early = makeRequest(sent);
      await early.requestSession.load();
      expect(early.setCookies).toEqual([]);
      now += 30_000;
      const due = makeRequest(sent);
      await due.requestSession.load();
      expect(due.setCookies).toEqual([expect.stringContaining('Max-Age=3600')]);
      expect(cookies.session.read(pairOf(due.setCookies[0]!), now)?.token).toBe(token);
    });

    it('rotates a token that is due, and writes its cookie', async () => {
      configure({ lifetime: { rotateEvery: 5 * MINUTE } });
      const { sent, token } = await logIn();
      now += 5 * MINUTE;
      const request = makeRequest(sent);
      const { requestSession } = request;
      const session = await requestSession.load();
      expect(session?.userId).toBe('alice');
      expect(requestSession.token).not.toBe(token);
      expect(cookies.session.read(pairOf(request.setCookies[0]!), now)?.token).toBe(requestSession.token);
      expect(events.at(-1)).toMatchObject({ type: 'session.rotated', reason: 'interval' });

      const late = makeRequest(sent);
      expect((await late.requestSession.load())?.id).toBe(session?.id);
      expect(late.setCookies).toEqual([]);
    });

    it('writes no cookie where another request rotated first', async () => {
      configure({ lifetime: { rotateEvery: 5 * MINUTE } });
      const { sent } = await logIn();
      now += 5 * MINUTE;
      const parallel = [makeRequest(sent), makeRequest(sent), makeRequest(sent)];
      const sessions = await Promise.all(parallel.map(({ requestSession }) => requestSession.load()));
      expect(sessions.every((session) => session?.userId === 'alice')).toBe(true);
      expect(parallel.flatMap(({ setCookies }) => setCookies)).toHaveLength(1);
    });

    it('finds none that ends between being read and being due for a new token', async () => {
      configure({ lifetime: { rotateEvery: 5 * MINUTE } });
      const { sent } = await logIn();
      now += 5 * MINUTE;
      jest.spyOn(store, 'rotate').mockResolvedValueOnce({ status: 'absent' });
      const request = makeRequest(sent);
      expect(await request.requestSession.load()).toBeUndefined();
      expect(request.setCookies).toEqual([]);
    });

    it('fails where the store does, instead of going on with the old token', async () => {
      configure({ lifetime: { rotateEvery: 5 * MINUTE } });
      const { sent } = await logIn();
      now += 5 * MINUTE;
      jest.spyOn(store, 'rotate').mockRejectedValueOnce(new Error('down'));
      await expect(makeRequest(sent).requestSession.load()).rejects.toMatchObject({
        code: 'session_store_unavailable',
      });
    });

    it('rotates nothing when the answer is on its way: its cookie could not be told', async () => {
      configure({
        lifetime: { rotateEvery: 5 * MINUTE },
        secrets: ['the next secret that is long enough too', SECRET],
      });
      const { sent, token } = await logIn();
      now += 5 * MINUTE;
      const request = makeRequest(sent, { headersSent: true });
      const { requestSession } = request;
      expect((await requestSession.load())?.userId).toBe('alice');
      expect(requestSession.token).toBe(token);
      expect(request.setCookies).toEqual([]);
    });
  });

  describe('replace and clear', () => {
    it('make a new session the one of the request', async () => {
      const { sent, token } = await logIn();
      const request = makeRequest(sent);
      const { requestSession } = request;
      await requestSession.load();
      const issued = await lifecycle.create({ user: { id: 'bob' } });
      requestSession.replace(issued);
      expect(requestSession.token).toBe(issued.token);
      expect(issued.token).not.toBe(token);
      expect(await requestSession.load()).toBe(issued.session);
      expect(cookies.session.read(pairOf(request.setCookies[0]!), now)?.token).toBe(issued.token);
    });

    it('take the cookie away', async () => {
      const { sent } = await logIn();
      const request = makeRequest(sent);
      const { requestSession } = request;
      requestSession.clear();
      expect(requestSession.token).toBeUndefined();
      expect(await requestSession.load()).toBeUndefined();
      expect(request.setCookies).toEqual([expect.stringMatching(EXPIRED)]);
    });
  });

  describe('replace', () => {
    it('writes no cookie of a token that has been replaced meanwhile: the newer one is on its way', async () => {
      const { token } = await logIn();
      const session = (await lifecycle.find(token))!;
      const present = makeRequest(undefined);
      present.requestSession.replace({ token, session });
      expect(present.setCookies).toEqual([expect.stringMatching(/^session=.{50}/)]);
      await lifecycle.rotate(session);
      const superseded = (await lifecycle.find(token))!;
      const late = makeRequest(undefined);
      late.requestSession.replace({ token, session: superseded });
      expect(late.setCookies).toEqual([]);
      expect(await late.requestSession.load()).toBe(superseded);
    });
  });

  describe('a remembered device', () => {
    /** Signs Alice in, and notes which requests it was asked for. */
    class Resumer extends SessionResumer {
      readonly resumed: ResumableRequest[] = [];

      override async resume(request: ResumableRequest): Promise<IssuedSession> {
        this.resumed.push(request);
        return lifecycle.create({ user: ALICE });
      }
    }

    const remembered = (userId = 'alice'): string =>
      pairOf(cookies.rememberMe!.issue('s'.repeat(24) + ':' + 'v'.repeat(43), userId, now + MINUTE, now));

    it('is signed in where there is no live session, once, and not by who only asks for that', async () => {
      const resumer = new Resumer();
      const request = makeRequest(undefined, { resumer });
      const { requestSession } = request;
      expect(await requestSession.loadLive()).toBeUndefined();
      expect(resumer.resumed).toEqual([]);
      const [first, second] = await Promise.all([requestSession.load(), requestSession.load()]);
      expect(first?.userId).toBe('alice');
      expect(second).toBe(first);
      expect(resumer.resumed).toEqual([requestSession]);
      expect(request.setCookies).toEqual([expect.stringMatching(/^session=.{50}/)]);
    });

    it('is not asked where there is a live session, nor when the answer is on its way', async () => {
      const resumer = new Resumer();
      await makeRequest((await logIn()).sent, { resumer }).requestSession.load();
      expect(await makeRequest(undefined, { resumer, headersSent: true }).requestSession.load()).toBeUndefined();
      expect(resumer.resumed).toEqual([]);
    });

    it('does not make up for a session that was not this client’s', async () => {
      const resumer = new Resumer();
      const read: FingerprintSignal['read'] = ({ headers }) => headers['user-agent'];
      const signals = [{ name: 'user-agent', onMismatch: 'reject' as const, always: true, isPure: true, read }];
      const fingerprint = new Fingerprint(new KeyRing([SECRET]), signals);
      const login = makeRequest(undefined, { headers: { 'user-agent': 'a' }, fingerprint });
      const { token, session } = await lifecycle.create({ user: ALICE, fingerprint: login.requestSession.fingerprint });
      const sent = pairOf(cookies.session.issue(token, session, now));
      const thief = makeRequest(sent, { headers: { 'user-agent': 'b' }, fingerprint, resumer });
      expect(await thief.requestSession.load()).toBeUndefined();
      expect(resumer.resumed).toEqual([]);
    });

    it('loses its cookie with the session, where it sent one', async () => {
      const { sent } = await logIn();
      const request = makeRequest(`${sent}; ${remembered()}`);
      const { requestSession } = request;
      requestSession.clear();
      expect([requestSession.token, requestSession.presented.session?.token.length]).toEqual([undefined, 45]);
      expect(request.setCookies).toEqual([
        expect.stringMatching(/^session-remember=; Max-Age=0;/),
        expect.stringMatching(EXPIRED),
      ]);
    });

    it('is known by its cookie: which user, genuine or not', () => {
      const { presented } = makeRequest(remembered('bob')).requestSession;
      expect([presented.hasRememberMe, presented.rememberMe?.userMark]).toEqual([true, markOfUser('bob')]);
      const forged = makeRequest('session-remember=forged').requestSession.presented;
      expect([forged.hasRememberMe, forged.rememberMe]).toEqual([true, undefined]);
      expect(makeRequest(undefined).requestSession.presented.hasRememberMe).toBe(false);
    });
  });

  describe('a cookie that is none of ours', () => {
    it('is counted among the guesses of its client, once a request; a genuine one and none are not', async () => {
      const add = jest.spyOn(SessionGuessing.prototype, 'add');
      const headers = { 'user-agent': 'guesser/1.0' };
      const forged = makeRequest('a=b; session=forged; session=twice', { headers });
      await forged.requestSession.load();
      expect([forged.requestSession.token, forged.requestSession.presented.session]).toEqual([undefined, undefined]);
      expect(add.mock.calls).toEqual([['forged,twice', { userAgent: 'guesser/1.0' }]]);
      add.mockClear();
      for (const sent of [undefined, 'a=b', 'sessions=1', (await logIn()).sent])
        await makeRequest(sent).requestSession.load();
      expect(add).not.toHaveBeenCalled();
      add.mockRestore();
    });
  });

  describe('vary', () => {
    it('names Cookie once the session was read, and not before', async () => {
      const read = makeRequest(undefined);
      await read.requestSession.load();
      expect([read.vary, makeRequest(undefined).vary]).toEqual(['Cookie', undefined]);
    });
  });

  describe('the pre-session', () => {
    it('is made on demand, once, and ends with the login', async () => {
      const form = makeRequest(undefined);
      expect(form.requestSession.responseCookies.preSessionId).toBeUndefined();
      const id = form.requestSession.responseCookies.ensurePreSession();
      expect([
        form.requestSession.responseCookies.ensurePreSession(),
        form.requestSession.responseCookies.preSessionId,
      ]).toEqual([id, id]);
      expect(form.setCookies).toHaveLength(1);

      const sent = pairOf(form.setCookies[0]!);
      const login = makeRequest(sent);
      expect([
        login.requestSession.responseCookies.preSessionId,
        login.requestSession.responseCookies.ensurePreSession(),
      ]).toEqual([id, id]);
      login.requestSession.replace(await lifecycle.create({ user: ALICE }));
      expect(login.requestSession.responseCookies.preSessionId).toBeUndefined();
      expect(login.setCookies).toEqual([
        expect.stringMatching(/^session=.{50}/),
        expect.stringMatching(/^session-csrf=; Max-Age=0;/),
      ]);
    });

    it('ends with the login also where it was made for this very request, or never asked for', async () => {
      const made = makeRequest(undefined);
      const id = made.requestSession.responseCookies.ensurePreSession();
      const unasked = makeRequest(pairOf(cookies.preSession.issue(id, now)));
      for (const { requestSession } of [made, unasked]) requestSession.replace(await lifecycle.create({ user: ALICE }));
      for (const { setCookies } of [made, unasked]) {
        expect(setCookies).toContainEqual(expect.stringMatching(/^session-csrf=; Max-Age=0;/));
      }
    });

    it('begins anew where a login that ended it was taken back: the browser gets the cookie that a form is bound to', async () => {
      const { sent, id } = ((made) => {
        const known = made.requestSession.responseCookies.ensurePreSession();
        return { id: known, sent: pairOf(made.setCookies[0]!) };
      })(makeRequest(undefined));
      const refused = makeRequest(sent);
      refused.requestSession.replace(await lifecycle.create({ user: ALICE }));
      refused.requestSession.clear();
      const { responseCookies } = refused.requestSession;
      const next = responseCookies.ensurePreSession();
      expect(next).not.toBe(id);
      expect([responseCookies.ensurePreSession(), responseCookies.preSessionId]).toEqual([next, next]);
      const written = refused.setCookies.filter((line) => line.startsWith('session-csrf='));
      expect(written).toHaveLength(1);
      expect(cookies.preSession.read(pairOf(written[0]!), now)).toMatchObject({ id: next });
    });

    it('is sealed once a request', () => {
      const issue = jest.spyOn(cookies.preSession, 'issue');
      const { requestSession } = makeRequest(undefined);
      for (let form = 0; form < 3; form += 1) requestSession.responseCookies.ensurePreSession();
      expect(issue).toHaveBeenCalledTimes(1);
    });

    it('is sealed again under the present key, with the same id', () => {
      const form = makeRequest(undefined);
      const id = form.requestSession.responseCookies.ensurePreSession();
      configure({ secrets: ['the next secret that is long enough too', SECRET] });
      const later = makeRequest(pairOf(form.setCookies[0]!));
      expect(later.requestSession.responseCookies.ensurePreSession()).toBe(id);
      expect(cookies.preSession.find(pairOf(later.setCookies[0]!), now)).toMatchObject({
        content: { id },
        outdated: false,
      });
    });
  });

  describe('the fingerprint', () => {
    const browser = { 'user-agent': 'test/1.0' };
    const other = { 'user-agent': 'other/1.0' };

    function makeFingerprint(onMismatch: FingerprintSignal['onMismatch']): Fingerprint {
      const read: FingerprintSignal['read'] = ({ headers }) => headers['user-agent'];
      return new Fingerprint(new KeyRing([SECRET]), [
        { name: 'user-agent', onMismatch, always: true, isPure: true, read },
      ]);
    }

    async function logInFrom(headers: IncomingHttpHeaders, fingerprint: Fingerprint): Promise<string> {
      const { requestSession } = makeRequest(undefined, { headers, fingerprint });
      const { token, session } = await lifecycle.create({ user: ALICE, fingerprint: requestSession.fingerprint });
      events.length = 0;
      return pairOf(cookies.session.issue(token, session, now));
    }

    it('is taken of the signals that are known of a client, or of none where it is off', () => {
      const fingerprint = makeFingerprint('destroy');
      const { requestSession } = makeRequest(undefined, { headers: browser, fingerprint });
      expect(requestSession.fingerprint).toMatch(/^[\w-]{20}$/);
      expect(requestSession.fingerprintBy((signal) => signal === 'user-agent')).toBe(requestSession.fingerprint);
      expect(requestSession.fingerprintBy(() => false)).toBe('');
      expect(makeRequest(undefined).requestSession.fingerprint).toBeUndefined();
      expect(makeRequest(undefined).requestSession.fingerprintBy(() => true)).toBeUndefined();
    });

    it('lets the same client go on, and one from before the check was on', async () => {
      const fingerprint = makeFingerprint('destroy');
      const sent = await logInFrom(browser, fingerprint);
      expect(await makeRequest(sent, { headers: browser, fingerprint }).requestSession.load()).toBeDefined();
      expect(await makeRequest(sent, { headers: other }).requestSession.load()).toBeDefined();
      const before = (await logIn()).sent;
      expect(await makeRequest(before, { headers: other, fingerprint }).requestSession.load()).toBeDefined();
      expect(makeRequest(sent).requestSession.fingerprint).toBeUndefined();
    });

    it.each([
      ['destroy', false, false],
      ['reject', false, true],
      ['report', true, true],
    ] as const)('%s: another client %p, the session lives on %p', async (action, letIn, livesOn) => {
      const fingerprint = makeFingerprint(action);
      const sent = await logInFrom(browser, fingerprint);
      const thief = makeRequest(sent, { headers: other, fingerprint });
      expect((await thief.requestSession.load()) !== undefined).toBe(letIn);
      expect(events[0]).toMatchObject({
        type: 'session.fingerprint_mismatch',
        userId: 'alice',
        signals: ['user-agent'],
        action,
        client: { userAgent: 'other/1.0' },
      });
      const owner = makeRequest(sent, { headers: browser, fingerprint });
      expect((await owner.requestSession.load()) !== undefined).toBe(livesOn);
      expect(thief.setCookies).toEqual(action === 'destroy' ? [expect.stringMatching(EXPIRED)] : []);
    });

    it('ends the session also when the answer is on its way', async () => {
      const fingerprint = makeFingerprint('destroy');
      const sent = await logInFrom(browser, fingerprint);
      const thief = makeRequest(sent, { headers: other, fingerprint, headersSent: true });
      expect(await thief.requestSession.load()).toBeUndefined();
      expect(thief.setCookies).toEqual([]);
      expect(events.at(-1)).toMatchObject({ type: 'session.destroyed', reason: 'fingerprint_mismatch' });
    });
  });

  describe('loadUser', () => {
    it('asks the application once a request', async () => {
      const provider = users(ALICE);
      const { requestSession } = makeRequest((await logIn()).sent, { users: provider });
      expect(await Promise.all([requestSession.loadUser(), requestSession.loadUser()])).toEqual([ALICE, ALICE]);
      expect(provider.findById.mock.calls).toEqual([['alice']]);
    });

    it('asks nobody without a session of a user', async () => {
      const { token, session } = await lifecycle.create({});
      const anonymous = pairOf(cookies.session.issue(token, session, now));
      for (const sent of [undefined, anonymous]) {
        const provider = users(ALICE);
        expect(await makeRequest(sent, { users: provider }).requestSession.loadUser()).toBeUndefined();
        expect(provider.findById.mock.calls).toEqual([]);
      }
    });

    it('cannot without users', async () => {
      const { requestSession } = makeRequest((await logIn()).sent);
      await expect(requestSession.loadUser()).rejects.toMatchObject({
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
      const { requestSession } = request;
      expect(await requestSession.loadUser()).toBeUndefined();
      expect(await requestSession.load()).toBeUndefined();
      expect(request.setCookies).toEqual([expect.stringMatching(EXPIRED)]);
      expect(await makeRequest(other.sent).requestSession.load()).toBeUndefined();
      const destroyed = events.filter((event) => event.type === 'session.destroyed');
      expect(destroyed.map(({ reason }) => reason)).toEqual(['account_disabled', 'account_disabled']);
    });
  });
});

describe('the session bound to a request', () => {
  const response = { getHeader: () => undefined, removeHeader: () => undefined };

  function contextOf(request: object): Parameters<RequestSessionFactory['of']>[0] {
    const http = { getRequest: () => request, getResponse: () => response };
    return { switchToHttp: () => http } as never;
  }

  const make = (): RequestSessionFactory => makeFactory();

  it('is made once, and found from the raw message and its wrapper', () => {
    const sessions = make();
    const raw = { headers: {} };
    const wrapper: AdapterRequest = { raw: raw as never, headers: {} };
    const requestSession = sessions.of(contextOf(wrapper));
    expect(sessions.of(contextOf(wrapper))).toBe(requestSession);
    expect([getRequestSession(raw), getRequestSession(wrapper)]).toEqual([requestSession, requestSession]);
  });

  it('is found on a request whose raw is none', () => {
    for (const raw of [null, 'body', undefined]) {
      const request = { raw, headers: {} };
      const requestSession = make().of(contextOf(request));
      expect(getRequestSession(request)).toBe(requestSession);
    }
  });

  it('is found whatever a body parser keeps in the raw of Express’s request later on', () => {
    const request: IncomingMessage & { raw?: unknown } = new IncomingMessage(new Socket());
    const requestSession = make().of(contextOf(request));
    request.raw = Buffer.from('body');
    expect(getRequestSession(request)).toBe(requestSession);
    expect(make().of(contextOf(request))).toBe(requestSession);
  });

  it('is missing, with a code, before a guard has seen the request', () => {
    expect(() => getRequestSession({})).toThrow(
      expect.objectContaining({
        code: 'request_not_bound',
        message: expect.stringContaining('ask from guards on, not in middleware'),
      }),
    );
  });
});
