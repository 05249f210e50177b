import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { IncomingMessage, type IncomingHttpHeaders } from 'node:http';
import { Socket } from 'node:net';
import { ALICE, NEXT_SECRET, pairOf, RequestScene, SECRET } from '../../test/fixtures/request-scene.js';
import { PreSessionCookie } from '../cookies/pre-session-cookie.js';
import { KeyRing } from '../crypto/key-ring.js';
import { digestOf, markOfUser } from '../crypto/session-token.js';
import type { FingerprintSignal } from '../fingerprint/fingerprint.options.js';
import { Fingerprint } from '../fingerprint/fingerprint.js';
import { SessionGuessing } from '../throttle/session-guessing.js';
import type { SessionUser, SessionUserProvider } from '../users/session-user-provider.js';
import type { AdapterRequest } from './adapter.js';
import { getRequestSession, RequestSessionFactory } from './request-session-factory.js';
import type { RequestSession } from './request-session.js';
import { SessionResumer, type Forgetting, type ResumableRequest, type ResumedSession } from './session-resumer.js';

const MINUTE = 60_000;
const EXPIRED = /^session=; Max-Age=0; Path=\/; Expires=Thu, 01 Jan 1970 00:00:00 GMT/;

let scene: RequestScene;

/** Signs Alice in, and records which requests it resumed and forgot. */
class Resumer extends SessionResumer {
  readonly resumed: ResumableRequest[] = [];
  readonly forgotten: [ResumableRequest, Forgetting][] = [];
  until: number | undefined;

  override async resume(request: ResumableRequest): Promise<ResumedSession> {
    this.resumed.push(request);
    return { ...(await scene.services.changes.create({ user: ALICE })), until: this.until };
  }

  override forget(...args: [ResumableRequest, Forgetting]): Promise<void> {
    this.forgotten.push(args);
    return Promise.resolve();
  }
}

/** The remember-me cookie of a user's device. */
const remembered = (userId = 'alice'): string =>
  pairOf(scene.cookies.rememberMe!.issue('s'.repeat(24) + ':' + 'v'.repeat(43), userId, scene.now + MINUTE, scene.now));

function users(
  answer: SessionUser | null | undefined,
): SessionUserProvider & { readonly findById: jest.Mock<(id: string) => Promise<SessionUser | null | undefined>> } {
  return { findByEmail: () => Promise.reject(new Error('not asked for')), findById: jest.fn(async () => answer) };
}

beforeEach(() => {
  scene = new RequestScene();
});

describe('RequestSession', () => {
  describe('load', () => {
    it('reads the store once a request, when first asked, and writes nothing', async () => {
      const { sent, token } = await scene.logIn();
      const find = jest.spyOn(scene.store, 'find');
      const request = scene.request(sent);
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
      const { sent } = await scene.logIn();
      const { requestSession } = scene.request(sent);
      const loading = requestSession.load();
      requestSession.clear();
      expect((await loading)?.userId).toBe('alice');
      expect(await requestSession.load()).toBeUndefined();
      const { requestSession: other } = scene.request(sent);
      const slow = other.load();
      const issued = await scene.services.changes.create({ user: ALICE });
      other.replace(issued);
      await slow;
      expect(await other.load()).toBe(issued.session);
    });

    it.each([undefined, '', 'theme=dark', 'session=forged'])('asks no store for the cookie %p', async (sent) => {
      const find = jest.spyOn(scene.store, 'find');
      const request = scene.request(sent);
      const { requestSession } = request;
      expect(await requestSession.load()).toBeUndefined();
      expect(requestSession.token).toBeUndefined();
      expect(find).not.toHaveBeenCalled();
      expect(request.setCookies).toEqual([]);
    });

    it('answers undefined for a session that has ended, and leaves the cookie alone', async () => {
      const { sent, token } = await scene.logIn();
      await scene.services.changes.destroy(digestOf(token), 'logout');
      const request = scene.request(sent);
      const { requestSession } = request;
      expect(await requestSession.load()).toBeUndefined();
      expect(request.setCookies).toEqual([]);
    });

    it('seals a cookie again that an older key opened', async () => {
      const { sent, token } = await scene.logIn();
      scene.configure({ secrets: [NEXT_SECRET, SECRET] });
      const request = scene.request(sent);
      const { requestSession } = request;
      await requestSession.load();
      expect(request.setCookies).toHaveLength(1);
      expect(scene.cookies.session.find(pairOf(request.setCookies[0]!), scene.now)).toMatchObject({
        content: { token },
        outdated: false,
      });
    });

    it('writes a cookie that follows the idle expiry when that has moved, and only then', async () => {
      scene.configure({ maxAge: 'idle' });
      const { sent, token } = await scene.logIn();
      scene.now += 30_000;
      const early = scene.request(sent);
      await early.requestSession.load();
      expect(early.setCookies).toEqual([]);
      scene.now += 30_000;
      const due = scene.request(sent);
      await due.requestSession.load();
      expect(due.setCookies).toEqual([expect.stringContaining('Max-Age=3600')]);
      expect(scene.cookies.session.read(pairOf(due.setCookies[0]!), scene.now)?.token).toBe(token);
    });
  });

  describe('replace and clear', () => {
    it('make a new session the one of the request', async () => {
      const { sent, token } = await scene.logIn();
      const request = scene.request(sent);
      const { requestSession } = request;
      await requestSession.load();
      const issued = await scene.services.changes.create({ user: { id: 'bob' } });
      requestSession.replace(issued);
      expect(requestSession.token).toBe(issued.token);
      expect(issued.token).not.toBe(token);
      expect(await requestSession.load()).toBe(issued.session);
      expect(scene.cookies.session.read(pairOf(request.setCookies[0]!), scene.now)?.token).toBe(issued.token);
    });

    it('take the cookie away', async () => {
      const { sent } = await scene.logIn();
      const request = scene.request(sent);
      const { requestSession } = request;
      requestSession.clear();
      expect(requestSession.token).toBeUndefined();
      expect(await requestSession.load()).toBeUndefined();
      expect(request.setCookies).toEqual([expect.stringMatching(EXPIRED)]);
    });
  });

  describe('a remembered device', () => {
    it('is signed in where there is no live session, once, and not by who only asks for that', async () => {
      const resumer = new Resumer();
      const request = scene.request(undefined, { resumer });
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
      await scene.request((await scene.logIn()).sent, { resumer }).requestSession.load();
      expect(await scene.request(undefined, { resumer, headersSent: true }).requestSession.load()).toBeUndefined();
      expect(resumer.resumed).toEqual([]);
    });

    it('does not make up for a session that was not this client’s', async () => {
      const resumer = new Resumer();
      const read: FingerprintSignal['read'] = ({ headers }) => headers['user-agent'];
      const signal = { name: 'user-agent', tag: 'user-agent', always: true, isPure: true, read };
      const signals = [{ ...signal, onMismatch: 'reject' as const }];
      const fingerprint = new Fingerprint(new KeyRing([SECRET]), signals);
      const login = scene.request(undefined, { headers: { 'user-agent': 'a' }, fingerprint });
      const { token, session } = await scene.services.changes.create({
        user: ALICE,
        fingerprint: login.requestSession.fingerprint,
      });
      const sent = pairOf(scene.cookies.session.issue(token, session, scene.now));
      const thief = scene.request(sent, { headers: { 'user-agent': 'b' }, fingerprint, resumer });
      expect(await thief.requestSession.load()).toBeUndefined();
      expect(resumer.resumed).toEqual([]);
    });

    it('gets no cookie where the head leaves later than the resumer allows, and keeps what its login form needs', async () => {
      const resumer = new Resumer();
      const form = pairOf(scene.cookies.preSession.issue(PreSessionCookie.newId(), scene.now));
      for (const [waits, names] of [
        [0, ['session', 'session-csrf']],
        [MINUTE, ['session', 'session-csrf']],
        [MINUTE + 1, []],
      ] as const) {
        resumer.until = scene.now + MINUTE;
        const request = scene.request(form, { resumer });
        await request.requestSession.load();
        scene.now += waits;
        expect(request.setCookies.map((line) => line.slice(0, line.indexOf('=')))).toEqual(names);
      }
    });

    it('is not asked by a request in flight whose token another one has replaced at once: that has the session', async () => {
      const resumer = new Resumer();
      const { sent, token } = await scene.logIn();
      const session = (await scene.services.reader.find(token, {}))!;
      await scene.services.rotation.factorCompleted(session, 'totp');
      const request = scene.request(`${sent}; ${remembered()}`, { resumer });
      expect(await request.requestSession.load()).toBeUndefined();
      expect([resumer.resumed, request.setCookies]).toEqual([[], []]);
      // by then the client has the newer token, or has lost it
      scene.now += 10_000;
      const later = scene.request(`${sent}; ${remembered()}`, { resumer });
      expect((await later.requestSession.load())?.userId).toBe('alice');
      expect(resumer.resumed).toEqual([later.requestSession]);
    });

    it('is asked by a request whose session has ended', async () => {
      const resumer = new Resumer();
      const { sent, token } = await scene.logIn();
      await scene.services.changes.destroy(digestOf(token), 'logout');
      const request = scene.request(`${sent}; ${remembered()}`, { resumer });
      expect((await request.requestSession.load())?.userId).toBe('alice');
    });

    it('loses its cookie with the session, where it sent one', async () => {
      const { sent } = await scene.logIn();
      const request = scene.request(`${sent}; ${remembered()}`);
      const { requestSession } = request;
      requestSession.clear();
      expect([requestSession.token, requestSession.presented.session?.token.length]).toEqual([undefined, 65]);
      expect(request.setCookies).toEqual([
        expect.stringMatching(/^session-remember=; Max-Age=0;/),
        expect.stringMatching(EXPIRED),
      ]);
    });

    it('is known by its cookie: which user, genuine or not', () => {
      const { presented } = scene.request(remembered('bob')).requestSession;
      expect([presented.hasRememberMe, presented.rememberMe?.userMark]).toEqual([true, markOfUser('bob')]);
      const forged = scene.request('session-remember=forged').requestSession.presented;
      expect([forged.hasRememberMe, forged.rememberMe]).toEqual([true, undefined]);
      expect(scene.request(undefined).requestSession.presented.hasRememberMe).toBe(false);
    });
  });

  describe('a cookie that is none of ours', () => {
    it('is counted among the guesses of its client, once a request; a genuine one and none are not', async () => {
      const add = jest.spyOn(SessionGuessing.prototype, 'add');
      const headers = { 'user-agent': 'guesser/1.0' };
      const forged = scene.request('a=b; session=forged', { headers });
      await forged.requestSession.load();
      expect([forged.requestSession.token, forged.requestSession.presented.session]).toEqual([undefined, undefined]);
      expect(add.mock.calls).toEqual([['forged', { userAgent: 'guesser/1.0' }]]);
      add.mockClear();
      for (const sent of [undefined, 'a=b', 'sessions=1', (await scene.logIn()).sent])
        await scene.request(sent).requestSession.load();
      expect(add).not.toHaveBeenCalled();
      add.mockRestore();
    });
  });

  describe('two cookies of our name', () => {
    it('are no guess, but an event once a request, and are taken', async () => {
      const add = jest.spyOn(SessionGuessing.prototype, 'add');
      const request = scene.request(`session=a; session=b; session-remember=a; session-remember=b`);
      for (let look = 0; look < 2; look += 1) expect(await request.requestSession.load()).toBeUndefined();
      expect(request.requestSession.presented.rememberMe).toBeUndefined();
      expect(add).not.toHaveBeenCalled();
      expect(scene.told()).toEqual(['session.ambiguous_cookie', 'session.ambiguous_cookie']);
      expect(request.setCookies).toContainEqual(expect.stringMatching(/^session=; Max-Age=0;/));
      add.mockRestore();
    });
  });

  describe('vary', () => {
    it('names Cookie once the session was read, and not before', async () => {
      const read = scene.request(undefined);
      await read.requestSession.load();
      expect([read.vary, scene.request(undefined).vary]).toEqual(['Cookie', undefined]);
    });
  });

  describe('the pre-session', () => {
    it('is made on demand, once, and ends with the login', async () => {
      const form = scene.request(undefined);
      expect(form.requestSession.responseCookies.preSessionId).toBeUndefined();
      const id = form.requestSession.responseCookies.ensurePreSession();
      expect([
        form.requestSession.responseCookies.ensurePreSession(),
        form.requestSession.responseCookies.preSessionId,
      ]).toEqual([id, id]);
      expect(form.setCookies).toHaveLength(1);

      const sent = pairOf(form.setCookies[0]!);
      const login = scene.request(sent);
      expect([
        login.requestSession.responseCookies.preSessionId,
        login.requestSession.responseCookies.ensurePreSession(),
      ]).toEqual([id, id]);
      login.requestSession.replace(await scene.services.changes.create({ user: ALICE }));
      expect(login.requestSession.responseCookies.preSessionId).toBeUndefined();
      expect(login.setCookies).toEqual([
        expect.stringMatching(/^session=.{50}/),
        expect.stringMatching(/^session-csrf=; Max-Age=0;/),
      ]);
    });

    it('ends with the login also where it was made for this very request, or never asked for', async () => {
      const made = scene.request(undefined);
      const id = made.requestSession.responseCookies.ensurePreSession();
      const unasked = scene.request(pairOf(scene.cookies.preSession.issue(id, scene.now)));
      for (const { requestSession } of [made, unasked])
        requestSession.replace(await scene.services.changes.create({ user: ALICE }));
      expect(unasked.setCookies).toContainEqual(expect.stringMatching(/^session-csrf=; Max-Age=0;/));
      // the browser has no cookie yet
      expect(made.setCookies).toEqual([expect.stringMatching(/^session=/)]);
    });

    it('begins anew where a login that ended it was taken back: the browser gets the cookie that a form is bound to', async () => {
      const { sent, id } = ((made) => {
        const known = made.requestSession.responseCookies.ensurePreSession();
        return { id: known, sent: pairOf(made.setCookies[0]!) };
      })(scene.request(undefined));
      const refused = scene.request(sent);
      refused.requestSession.replace(await scene.services.changes.create({ user: ALICE }));
      refused.requestSession.clear();
      const { responseCookies } = refused.requestSession;
      const next = responseCookies.ensurePreSession();
      expect(next).not.toBe(id);
      expect([responseCookies.ensurePreSession(), responseCookies.preSessionId]).toEqual([next, next]);
      const written = refused.setCookies.filter((line) => line.startsWith('session-csrf='));
      expect(written).toHaveLength(1);
      expect(scene.cookies.preSession.read(pairOf(written[0]!), scene.now)).toMatchObject({ id: next });
    });

    it('is sealed once a request', () => {
      const issue = jest.spyOn(scene.cookies.preSession, 'issue');
      const { requestSession } = scene.request(undefined);
      for (let form = 0; form < 3; form += 1) requestSession.responseCookies.ensurePreSession();
      expect(issue).toHaveBeenCalledTimes(1);
    });

    it('is sealed again under the present key, with the same id', () => {
      const form = scene.request(undefined);
      const id = form.requestSession.responseCookies.ensurePreSession();
      scene.configure({ secrets: [NEXT_SECRET, SECRET] });
      const later = scene.request(pairOf(form.setCookies[0]!));
      expect(later.requestSession.responseCookies.ensurePreSession()).toBe(id);
      expect(scene.cookies.preSession.find(pairOf(later.setCookies[0]!), scene.now)).toMatchObject({
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
        { name: 'user-agent', tag: 'user-agent', onMismatch, always: true, isPure: true, read },
      ]);
    }

    async function logInFrom(headers: IncomingHttpHeaders, fingerprint: Fingerprint): Promise<string> {
      const { requestSession } = scene.request(undefined, { headers, fingerprint });
      const { token, session } = await scene.services.changes.create({
        user: ALICE,
        fingerprint: requestSession.fingerprint,
      });
      scene.events.length = 0;
      return pairOf(scene.cookies.session.issue(token, session, scene.now));
    }

    it('is taken of the signals that are known of a client, or of none where it is off', () => {
      const fingerprint = makeFingerprint('destroy');
      const { requestSession } = scene.request(undefined, { headers: browser, fingerprint });
      expect(requestSession.fingerprint).toMatch(/^[\w-]{20}$/);
      expect(requestSession.fingerprintBy((signal) => signal === 'user-agent')).toBe(requestSession.fingerprint);
      expect(requestSession.fingerprintBy(() => false)).toBe('');
      expect(scene.request(undefined).requestSession.fingerprint).toBeUndefined();
      expect(scene.request(undefined).requestSession.fingerprintBy(() => true)).toBeUndefined();
    });

    it('lets the same client go on, and one from before the check was on', async () => {
      const fingerprint = makeFingerprint('destroy');
      const sent = await logInFrom(browser, fingerprint);
      expect(await scene.request(sent, { headers: browser, fingerprint }).requestSession.load()).toBeDefined();
      expect(await scene.request(sent, { headers: other }).requestSession.load()).toBeDefined();
      const before = (await scene.logIn()).sent;
      expect(await scene.request(before, { headers: other, fingerprint }).requestSession.load()).toBeDefined();
      expect(scene.request(sent).requestSession.fingerprint).toBeUndefined();
    });

    it.each([
      ['destroy', false, false],
      ['reject', false, true],
      ['report', true, true],
    ] as const)('%s: another client %p, the session lives on %p', async (action, letIn, livesOn) => {
      const fingerprint = makeFingerprint(action);
      const sent = await logInFrom(browser, fingerprint);
      const thief = scene.request(sent, { headers: other, fingerprint });
      expect((await thief.requestSession.load()) !== undefined).toBe(letIn);
      expect(scene.events[0]).toMatchObject({
        type: 'session.fingerprint_mismatch',
        userId: 'alice',
        signals: ['user-agent'],
        action,
        client: { userAgent: 'other/1.0' },
      });
      const owner = scene.request(sent, { headers: browser, fingerprint });
      expect((await owner.requestSession.load()) !== undefined).toBe(livesOn);
      expect(thief.setCookies).toEqual(action === 'destroy' ? [expect.stringMatching(EXPIRED)] : []);
    });

    it.each([
      ['destroy', 1],
      ['reject', 0],
      ['report', 0],
    ] as const)('%s: forgets what else could sign the client in again: %i times', async (action, times) => {
      const fingerprint = makeFingerprint(action);
      const resumer = new Resumer();
      const sent = await logInFrom(browser, fingerprint);
      const [session] = (await scene.services.lifecycle.list('alice')).sessions;
      const thief = scene.request(`${sent}; ${remembered()}`, { headers: other, fingerprint, resumer });
      await thief.requestSession.load();
      const forgotten = [thief.requestSession, { reason: 'fingerprint_mismatch', exceptSessionId: session!.id }];
      expect(resumer.forgotten).toEqual(Array(times).fill(forgotten));
      expect(resumer.resumed).toEqual([]);
    });

    it.each(['destroy', 'reject'] as const)(
      '%s: another client’s use of a successor makes that no token',
      async (action) => {
        const fingerprint = makeFingerprint(action);
        const sent = await logInFrom(browser, fingerprint);
        const owner = scene.request(sent, { headers: browser, fingerprint });
        const issued = await scene.services.rotation.rotate((await owner.requestSession.load())!);
        const stolen = pairOf(scene.cookies.session.issue(issued!.token, issued!.session, scene.now));
        const rotations = jest.spyOn(scene.store, 'rotate');
        await scene.request(stolen, { headers: other, fingerprint }).requestSession.load();
        expect(rotations).not.toHaveBeenCalled();
        scene.now += 10_000;
        const later = await scene.request(sent, { headers: browser, fingerprint }).requestSession.load();
        expect(later?.userId).toBe(action === 'reject' ? 'alice' : undefined);
      },
    );

    it('ends the session also when the answer is on its way', async () => {
      const fingerprint = makeFingerprint('destroy');
      const sent = await logInFrom(browser, fingerprint);
      const thief = scene.request(sent, { headers: other, fingerprint, headersSent: true });
      expect(await thief.requestSession.load()).toBeUndefined();
      expect(thief.setCookies).toEqual([]);
      expect(scene.events.at(-1)).toMatchObject({ type: 'session.destroyed', reason: 'fingerprint_mismatch' });
    });
  });

  describe('loadUser', () => {
    it('asks the application once a request', async () => {
      const provider = users(ALICE);
      const { requestSession } = scene.request((await scene.logIn()).sent, { users: provider });
      expect(await Promise.all([requestSession.loadUser(), requestSession.loadUser()])).toEqual([ALICE, ALICE]);
      expect(provider.findById.mock.calls).toEqual([['alice']]);
    });

    it('asks nobody without a session of a user', async () => {
      const { token, session } = await scene.services.changes.create({});
      const anonymous = pairOf(scene.cookies.session.issue(token, session, scene.now));
      for (const sent of [undefined, anonymous]) {
        const provider = users(ALICE);
        expect(await scene.request(sent, { users: provider }).requestSession.loadUser()).toBeUndefined();
        expect(provider.findById.mock.calls).toEqual([]);
      }
    });

    it('cannot without users', async () => {
      const { requestSession } = scene.request((await scene.logIn()).sent);
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
      const { sent } = await scene.logIn();
      const other = await scene.logIn();
      const request = scene.request(sent, { users: users(answer) });
      const { requestSession } = request;
      expect(await requestSession.loadUser()).toBeUndefined();
      expect(await requestSession.load()).toBeUndefined();
      expect(request.setCookies).toEqual([expect.stringMatching(EXPIRED)]);
      expect(await scene.request(other.sent).requestSession.load()).toBeUndefined();
      const destroyed = scene.events.filter((event) => event.type === 'session.destroyed');
      expect(destroyed.map(({ reason }) => reason)).toEqual(['account_disabled', 'account_disabled']);
    });
  });
});

describe('the session bound to a request', () => {
  const response = { getHeader: () => undefined, removeHeader: () => undefined };

  function contextOf(request: object): Parameters<RequestSessionFactory['of']>[0] {
    const http = { getRequest: () => request, getResponse: () => response };
    return {
      getType: () => 'http',
      switchToHttp: () => http,
      getHandler: () => contextOf,
      getClass: () => Object,
    } as never;
  }

  const make = (): RequestSessionFactory => new RequestSessionFactory(scene.requestServices());

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
    const factory = make();
    const requestSession = factory.of(contextOf(request));
    request.raw = Buffer.from('body');
    expect(getRequestSession(request)).toBe(requestSession);
    expect(factory.of(contextOf(request))).toBe(requestSession);
    const inAnotherRealm = make().of(contextOf(request)) as RequestSession;
    expect(inAnotherRealm).not.toBe(requestSession);
    expect(inAnotherRealm.exchange).toBe((requestSession as RequestSession).exchange);
  });

  it('is missing, with a code, before a guard has seen the request', () => {
    expect(() => getRequestSession({})).toThrow(
      expect.objectContaining({
        code: 'request_not_bound',
        message: expect.stringContaining('read the session in guards or later, not in middleware'),
      }),
    );
  });
});
