import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { NEXT_SECRET, pairOf, RequestScene, SECRET, type GivenRequest } from '../../test/fixtures/request-scene.js';
import { KeyRing } from '../crypto/key-ring.js';
import { digestOf } from '../crypto/session-token.js';
import { Fingerprint } from '../fingerprint/fingerprint.js';
import { Session } from '../session/session.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const GRACE = 10 * SECOND;
const ROTATING = { rotateEvery: 5 * MINUTE };
const REUSED = 'session.token_reused';

let scene: RequestScene;

/** The outcome of a visit. */
interface Visit {
  readonly session: Session | undefined;
  /** The client's token after the response. */
  readonly token: string | undefined;
  readonly setCookies: readonly string[];
}

/** The circumstances of a visit. */
interface Circumstances extends GivenRequest {
  /** Whether the response gets lost. */
  readonly isLost?: boolean;
  /** Runs between the guard and the head of the response. */
  readonly whileHandled?: () => unknown;
}

/** A browser that sends the last session cookie it received. */
class Browser {
  constructor(public sent: string) {}

  async visit({ isLost = false, whileHandled, ...given }: Circumstances = {}): Promise<Visit> {
    const request = scene.request(this.sent, given);
    const session = await request.requestSession.load();
    const { token } = request.requestSession;
    await whileHandled?.();
    const { setCookies } = request;
    const cookie = setCookies.find((line) => line.startsWith('session='));
    if (cookie !== undefined && !isLost) this.sent = pairOf(cookie);
    return { session, token, setCookies };
  }

  /** Its present token. */
  get token(): string | undefined {
    return scene.cookies.session.read(this.sent, scene.now)?.token;
  }
}

/** Alice's browser after a login; the events are cleared. */
async function logIn(): Promise<Browser> {
  const { sent } = await scene.logIn();
  scene.told();
  return new Browser(sent);
}

beforeEach(() => {
  scene = new RequestScene({ lifetime: ROTATING });
});

describe('a token that is due', () => {
  it('is handed over by the request that comes first, which goes on by it; the next one takes it up', async () => {
    const browser = await logIn();
    const before = browser.token;
    scene.now += 5 * MINUTE;
    const { session, token, setCookies } = await browser.visit();
    expect([session?.userId, setCookies.length]).toEqual(['alice', 1]);
    expect([token === browser.token, token === before]).toEqual([true, false]);
    expect(scene.events).toMatchObject([{ type: 'session.rotated', reason: 'interval', userId: 'alice' }]);
    const next = await browser.visit();
    expect([next.session?.id, next.setCookies, Session.recordOf(next.session!).digest]).toEqual([
      session!.id,
      [],
      digestOf(token!),
    ]);
  });

  it('lets the others by it pass for the grace without a cookie, at once or one after the other', async () => {
    const browser = await logIn();
    scene.now += 5 * MINUTE;
    const tabs = Array.from({ length: 20 }, () => new Browser(browser.sent));
    const visits = await Promise.all(tabs.map((tab) => tab.visit()));
    scene.now += GRACE - 1;
    visits.push(await new Browser(browser.sent).visit());
    expect(visits.map(({ session }) => session?.userId)).toEqual(Array(21).fill('alice'));
    expect(visits.flatMap(({ setCookies }) => setCookies)).toHaveLength(1);
    expect(scene.told()).toEqual(['session.rotated interval']);
  });

  it('is handed over again where the answer was lost, however long that takes, and raises no alarm', async () => {
    const browser = await logIn();
    scene.now += 5 * MINUTE;
    const tokens = new Set<string | undefined>();
    for (const wait of [GRACE, GRACE, 30 * MINUTE, 59 * MINUTE, GRACE, GRACE]) {
      const { session, token, setCookies } = await browser.visit({ isLost: true });
      expect([session?.userId, setCookies.length]).toEqual(['alice', 1]);
      tokens.add(token);
      scene.now += wait;
    }
    expect(tokens.size).toBe(6);
    await browser.visit();
    for (let visit = 0; visit < 3; visit += 1, scene.now += MINUTE) {
      expect((await browser.visit()).session?.userId).toBe('alice');
    }
    expect(new Set(scene.told())).toEqual(new Set(['session.rotated interval']));
  });

  it('costs a request one call of the store, the hand-over and the first use of a successor one more each', async () => {
    const browser = await logIn();
    const calls = (['find', 'rotate', 'update', 'delete', 'list'] as const).map((name) =>
      jest.spyOn(scene.store, name),
    );
    const counted = async (): Promise<readonly number[]> => {
      for (const call of calls) call.mockClear();
      await browser.visit();
      return calls.map(({ mock }) => mock.calls.length);
    };
    expect(await counted()).toEqual([1, 0, 0, 0, 0]);
    scene.now += 5 * MINUTE;
    const old = browser.sent;
    expect(await counted()).toEqual([1, 1, 0, 0, 0]);
    expect(await counted()).toEqual([1, 1, 0, 0, 0]);
    expect(await counted()).toEqual([1, 0, 0, 0, 0]);
    browser.sent = old;
    expect(await counted()).toEqual([1, 0, 0, 0, 0]);
  });

  it('is none that has ended since it was read', async () => {
    const browser = await logIn();
    scene.now += 5 * MINUTE;
    jest.spyOn(scene.store, 'rotate').mockResolvedValueOnce({ status: 'absent' });
    expect(await browser.visit()).toMatchObject({ session: undefined, setCookies: [] });
  });

  it('fails where the store does, instead of letting the request go on by it', async () => {
    const browser = await logIn();
    scene.now += 5 * MINUTE;
    jest.spyOn(scene.store, 'rotate').mockRejectedValueOnce(new Error('down'));
    await expect(browser.visit()).rejects.toMatchObject({ code: 'session_store_unavailable' });
  });

  it('stays what it is where the head is out already: its cookie could not be told', async () => {
    scene.configure({ lifetime: ROTATING, secrets: [NEXT_SECRET, SECRET] });
    const browser = await logIn();
    const before = browser.token;
    scene.now += 5 * MINUTE;
    const rotations = jest.spyOn(scene.store, 'rotate');
    const { session, token, setCookies } = await browser.visit({ headersSent: true });
    expect([session?.userId, token, setCookies]).toEqual(['alice', before, []]);
    expect(rotations).not.toHaveBeenCalled();
  });

  it('gives a role that was gained to the request that gets the successor, and to no other by it', async () => {
    const browser = await logIn();
    await scene.services.ofUsers.update('alice', { roles: ['customer', 'admin'] });
    const other = new Browser(browser.sent);
    const [first, second] = await Promise.all([browser.visit(), other.visit()]);
    expect([first.session?.roles, second.session?.roles]).toEqual([['customer', 'admin'], ['customer']]);
    expect((await other.visit({ headersSent: true })).session?.roles).toEqual(['customer']);
    expect((await browser.visit()).session?.roles).toEqual(['customer', 'admin']);
    expect((await other.visit()).session?.roles).toEqual(['customer']);
    expect(scene.told()).toEqual(['session.rotated roles_changed']);
  });

  it('loses a role at once, also where the head is out already', async () => {
    const browser = await logIn();
    await scene.services.ofUsers.update('alice', { roles: [] });
    expect((await browser.visit({ headersSent: true })).session?.roles).toEqual([]);
  });
});

describe('a head that leaves late', () => {
  it('carries the cookie of a successor for the grace after it was handed out, and not a moment longer', async () => {
    for (const [waits, cookies] of [
      [0, 1],
      [GRACE, 1],
      [GRACE + 1, 0],
    ] as const) {
      const browser = await logIn();
      scene.now += 5 * MINUTE;
      const { setCookies } = await browser.visit({ whileHandled: () => (scene.now += waits) });
      expect(setCookies).toHaveLength(cookies);
    }
  });

  it('neither signs other tabs out nor brings back a stale token: a slow download', async () => {
    const tab = await logIn();
    const download = new Browser(tab.sent);
    scene.now += 5 * MINUTE;
    const { setCookies } = await download.visit({
      whileHandled: async () => {
        for (let visit = 0; visit < 20; visit += 1, scene.now += 3 * SECOND) {
          expect((await tab.visit()).session?.userId).toBe('alice');
        }
      },
    });
    expect(setCookies).toEqual([]);
    scene.now += MINUTE;
    expect((await tab.visit()).session?.userId).toBe('alice');
    expect(scene.told()).toEqual(['session.rotated interval', 'session.rotated interval']);
  });

  it('carries the cookie of a token that was replaced at once, however late it is', async () => {
    const { sent } = await scene.logIn();
    const request = scene.request(sent);
    const session = (await request.requestSession.load())!;
    const issued = (await scene.services.rotation.factorCompleted(session, 'totp'))!;
    request.requestSession.replace(issued);
    scene.now += MINUTE;
    expect(scene.cookies.session.read(pairOf(request.setCookies[0]!), scene.now)?.token).toBe(issued.token);
  });

  it('carries the cookie of a rotation that the application asked for until it is told', async () => {
    for (const [waits, cookies] of [
      [GRACE, 1],
      [GRACE + 1, 0],
    ] as const) {
      const { sent } = await scene.logIn();
      const request = scene.request(sent);
      const session = (await request.requestSession.load())!;
      const until = request.requestSession.latestHead();
      request.requestSession.replace((await scene.services.rotation.rotate(session))!, until);
      scene.now += waits;
      expect(request.setCookies).toHaveLength(cookies);
    }
  });

  it('carries what was said last: a logout takes the cookie of a hand-over away', async () => {
    const { sent } = await scene.logIn();
    scene.now += 5 * MINUTE;
    const request = scene.request(sent);
    await request.requestSession.load();
    request.requestSession.clear();
    scene.now += MINUTE;
    expect(request.setCookies).toEqual([expect.stringMatching(/^session=; Max-Age=0;/)]);
  });
});

describe('a cookie that is written again', () => {
  const resealing = (): void => scene.configure({ lifetime: ROTATING, secrets: [NEXT_SECRET, SECRET] });
  const isWritten = async (browser: Browser, how: Circumstances = {}): Promise<boolean> =>
    (await new Browser(browser.sent).visit(how)).setCookies.length > 0;

  it('is not where the head leaves so late that another one may be out', async () => {
    const browser = await logIn();
    resealing();
    expect(await isWritten(browser, { whileHandled: () => (scene.now += GRACE) })).toBe(true);
    expect(await isWritten(browser, { whileHandled: () => (scene.now += GRACE + 1) })).toBe(false);
    expect(await isWritten(browser, { headersSent: true })).toBe(false);
  });

  it('is not shortly before its token is due: a successor may be on its way before this response is', async () => {
    const browser = await logIn();
    resealing();
    scene.now += 5 * MINUTE - GRACE - 1;
    expect(await isWritten(browser)).toBe(true);
    scene.now += 1;
    expect(await isWritten(browser)).toBe(false);
  });

  it('is not while a successor is out, nor for a token that was superseded', async () => {
    const browser = await logIn();
    const old = new Browser(browser.sent);
    scene.now += 5 * MINUTE;
    await browser.visit();
    resealing();
    expect(await isWritten(old)).toBe(false);
    // the first use of the successor is sealed with the previous key too
    expect(await isWritten(browser)).toBe(true);
    expect(await isWritten(old)).toBe(false);
  });

  it('is not either where it follows the idle expiry', async () => {
    scene.configure({ lifetime: ROTATING, maxAge: 'idle' });
    const browser = await logIn();
    scene.now += MINUTE;
    expect(await isWritten(browser, { whileHandled: () => (scene.now += GRACE + 1) })).toBe(false);
    scene.now += MINUTE;
    expect(await isWritten(browser)).toBe(true);
    scene.now += 3 * MINUTE - 2 * GRACE - 1;
    expect(await isWritten(browser)).toBe(false);
  });
});

describe('a newly issued token', () => {
  it('is not written over the newer one that the client has, or is about to get', async () => {
    const { token, session } = await scene.services.changes.create({ user: { id: 'bob' } });
    const written = async (): Promise<readonly string[]> => {
      const found = (await scene.services.reader.find(token, {}))!;
      const request = scene.request(undefined);
      request.requestSession.replace({ token, session: found });
      expect(await request.requestSession.load()).toBe(found);
      return request.setCookies;
    };
    expect(await written()).toHaveLength(1);
    const { token: successor } = (await scene.services.rotation.rotate(session))!;
    expect(await written()).toEqual([]);
    await scene.services.reader.find(successor, {});
    expect(await written()).toEqual([]);
  });

  it('is written for a proof, also where it is a successor of the one that the first proof gave', async () => {
    const { sent, token } = await scene.logIn();
    const login = { user: { id: 'alice' }, authentication: 'password' as const };
    const session = (await scene.services.reader.find(token, {}))!;
    const first = (await scene.services.rotation.reauthenticated(session, login))!;
    const request = scene.request(sent);
    const renewable = (await request.requestSession.loadRenewable())!;
    const second = (await scene.services.rotation.reauthenticated(renewable, login))!;
    request.requestSession.replace(second);
    expect(second.token).not.toBe(first.token);
    expect(scene.cookies.session.read(pairOf(request.setCookies[0]!), scene.now)?.token).toBe(second.token);
  });
});

describe('the session of a token that a proof has replaced', () => {
  const login = { user: { id: 'alice' }, authentication: 'password' as const };

  /** Returns the session that a request with Alice's previous token finds. */
  async function renewable(given: GivenRequest = {}, fingerprint?: string): Promise<Session | undefined> {
    const { sent, token } = await scene.logIn(fingerprint);
    const { requestSession } = scene.request(sent, given);
    expect(await requestSession.loadRenewable()).toBeUndefined();
    await scene.services.rotation.reauthenticated((await scene.services.reader.find(token, {}))!, login);
    scene.told();
    return requestSession.loadRenewable();
  }

  it('is there to prove the same again, and is not the request’s', async () => {
    const { sent, token } = await scene.logIn();
    const session = (await scene.services.reader.find(token, {}))!;
    await scene.services.rotation.reauthenticated(session, login);
    scene.told();
    const { requestSession } = scene.request(sent);
    expect((await requestSession.loadRenewable())?.id).toBe(session.id);
    expect([await requestSession.loadLive(), await requestSession.load()]).toEqual([undefined, undefined]);
    expect(scene.told()).toEqual([]);
    scene.now += GRACE;
    expect(await scene.request(sent).requestSession.loadRenewable()).toBeUndefined();
  });

  it('is not there without a genuine cookie, nor where something else has replaced the token', async () => {
    const find = jest.spyOn(scene.store, 'find');
    for (const sent of [undefined, 'session=forged']) {
      expect(await scene.request(sent).requestSession.loadRenewable()).toBeUndefined();
    }
    expect(find).not.toHaveBeenCalled();
    const { sent, token } = await scene.logIn();
    await scene.services.rotation.factorCompleted((await scene.services.reader.find(token, {}))!, 'totp');
    expect(await scene.request(sent).requestSession.loadRenewable()).toBeUndefined();
  });

  it('is not another client’s', async () => {
    const read = ({ headers }: { headers: GivenRequest['headers'] }): string | undefined => headers?.['user-agent'];
    const signal = { name: 'user-agent', tag: 'user-agent', always: true, isPure: true, read };
    const signals = [{ ...signal, onMismatch: 'reject' as const }];
    const fingerprint = new Fingerprint(new KeyRing([SECRET]), signals);
    const [own, other] = ['own/1.0', 'other/1.0'].map((agent) => ({ fingerprint, headers: { 'user-agent': agent } }));
    const bound = scene.request(undefined, own).requestSession.fingerprint;
    expect(await renewable(own, bound)).toBeDefined();
    expect(await renewable(other, bound)).toBeUndefined();
    // a signal that is only reported refuses nobody
    const reports = new Fingerprint(new KeyRing([SECRET]), [{ ...signal, onMismatch: 'report' }]);
    expect(await renewable({ ...other, fingerprint: reports }, bound)).toBeDefined();
    // a session from before the check was switched on matches every client
    expect(await renewable(other)).toBeDefined();
  });
});

describe('a request whose head is out', () => {
  it('is told so with a code, before the store is asked, by whatever has to write a cookie', () => {
    const { requestSession } = scene.request(undefined, { headersSent: true });
    expect(() => requestSession.requireUnsent()).toThrow(
      expect.objectContaining({
        code: 'response_already_sent',
        statusCode: 500,
        message: 'the head of the response is already written, so cookies cannot be set',
      }),
    );
    expect(() => scene.request(undefined).requestSession.requireUnsent()).not.toThrow();
  });
});

describe('a thief with a copy of the cookie', () => {
  it('and its owner are never both served through three rotations without an alarm', async () => {
    const visits = fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 4 * 60 })), {
      minLength: 1,
      maxLength: 8,
    });
    await fc.assert(
      fc.asyncProperty(fc.tuple(visits, visits, visits), async (rounds) => {
        scene = new RequestScene({ lifetime: ROTATING });
        const owner = await logIn();
        const thief = new Browser(owner.sent);
        let isRefused = false;
        const visit = async (browser: Browser): Promise<void> => {
          if ((await browser.visit()).session === undefined) isRefused = true;
        };
        for (const round of rounds) {
          scene.now += 5 * MINUTE;
          for (const [isThief, seconds] of round) {
            await visit(isThief ? thief : owner);
            scene.now += seconds * SECOND;
          }
          // both visit again, twice, each time after the grace period
          for (const browser of [owner, thief, owner, thief]) {
            await visit(browser);
            scene.now += GRACE;
          }
        }
        expect([isRefused, scene.told().includes(REUSED)]).toEqual([true, true]);
      }),
      { numRuns: 50 },
    );
  });

  it('with onReuse: end-session is out with the alarm, and so is its owner', async () => {
    scene.configure({ lifetime: { ...ROTATING, onReuse: 'end-session' } });
    const owner = await logIn();
    const thief = new Browser(owner.sent);
    scene.now += 5 * MINUTE;
    await thief.visit();
    await thief.visit();
    scene.now += GRACE;
    expect([(await owner.visit()).session, (await thief.visit()).session]).toEqual([undefined, undefined]);
    expect(scene.told()).toEqual([
      'session.rotated interval',
      REUSED,
      'session.destroyed token_reused',
      'session.used_after_end',
    ]);
  });
});
