import { beforeEach, describe, expect, it } from '@jest/globals';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { cookieAttributes } from '../../test/fixtures/cookie-attributes.js';
import { PreSessionCookie } from '../cookies/pre-session-cookie.js';
import { KeyRing } from '../crypto/key-ring.js';
import { SessionEventPublisher } from '../events/event-publisher.js';
import { CookieSet } from './cookie-set.js';
import { DEFAULT_HTTP } from './http.options.js';
import type { RequestSession } from './request-session.js';
import { RequestServices } from './request-services.js';
import { RequestSessionFactory } from './request-session-factory.js';
import { DEFAULT_SESSION_LIFETIME } from '../session/lifetime.options.js';
import { SessionGuessing } from '../throttle/session-guessing.js';
import { DAY } from '../time/units.js';

const NOW = Date.UTC(2026, 0, 1);
const ALICE = { id: 'alice' };
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:136.0) Gecko/20100101 Firefox/136.0';
const UPDATED = FIREFOX.replaceAll('136', '141');
const ON_WINDOWS = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:136.0) Gecko/20100101 Firefox/136.0';
const CHROME = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/134.0.0.0 Safari/537.36';

let cookies: CookieSet;

function configure(deviceCookie: { readonly lifetime: number } | undefined): void {
  const keys = new KeyRing(['a secret that is long enough for tests']);
  cookies = new CookieSet(keys, cookieAttributes(), DEFAULT_SESSION_LIFETIME, undefined, deviceCookie);
}

interface Browser {
  readonly userAgent?: string;
  /** The cookie that it sends. */
  cookie?: string;
}

interface Asked {
  readonly requestSession: RequestSession;
  /** Sends the response, from which the browser keeps the device cookie. */
  readonly respond: () => void;
}

function ask(browser: Browser): Asked {
  const clock = { now: () => NOW };
  const publisher = new SessionEventPublisher(clock, { record: () => undefined });
  const unused = undefined as never;
  const guessing = new SessionGuessing(publisher, clock);
  const sessions = new RequestSessionFactory(
    new RequestServices(cookies, unused, unused, unused, unused, guessing, clock, publisher, DEFAULT_HTTP),
  );
  const { userAgent, cookie } = browser;
  const response = new ServerResponse(new IncomingMessage(new Socket()));
  const requestSession = sessions.bind({ headers: { cookie, 'user-agent': userAgent } }, response);
  const respond = (): void => {
    const lines = (response.writeHead(200).getHeader('set-cookie') ?? []) as string[];
    for (const line of lines) if (line.startsWith(`${cookies.device?.name}=`)) browser.cookie = line.split(';')[0];
  };
  return { requestSession, respond };
}

/** A browser that has seen a login form. */
function atLoginForm(userAgent = FIREFOX): Browser {
  const setCookie = cookies.preSession.issue(PreSessionCookie.newId(), NOW);
  return { userAgent, cookie: setCookie.slice(0, setCookie.indexOf(';')) };
}

/** Signs Alice in. Returns the device of her session. */
function signIn(browser: Browser, { user = ALICE } = {}): string | undefined {
  const { requestSession, respond } = ask(browser);
  const device = requestSession.presented.deviceDigest;
  requestSession.responseCookies.writeDevice(user);
  respond();
  return device;
}

const isNew = (browser: Browser, user: { readonly id: string | number } = ALICE): boolean =>
  ask(browser).requestSession.presented.deviceUsedBy(user) === undefined;
const deviceOf = (browser: Browser): string | undefined => ask(browser).requestSession.presented.deviceDigest;

beforeEach(() => configure({ lifetime: 180 * DAY }));

describe('whether a user signs in from a new device', () => {
  it('is so until they have, whatever version the browser has by then', () => {
    const browser = atLoginForm();
    expect(isNew(browser)).toBe(true);
    signIn(browser);
    expect([isNew(browser), isNew({ ...browser, userAgent: UPDATED })]).toEqual([false, false]);
  });

  it('is so for another user of it', () => {
    const browser = atLoginForm();
    signIn(browser);
    expect(isNew(browser, { id: 'bob' })).toBe(true);
    signIn(browser, { user: { id: 'bob' } });
    expect([isNew(browser), isNew(browser, { id: 'bob' })]).toEqual([false, false]);
  });

  it.each([
    ['browser family', CHROME],
    ['platform', ON_WINDOWS],
    ['program', 'curl/8.5.0'],
    ['program that does not tell its name', undefined],
  ])('is so for a cookie that was copied to another %s', (_what, userAgent) => {
    const browser = atLoginForm();
    signIn(browser);
    expect(isNew({ ...browser, userAgent })).toBe(true);
    // its own device stays known while the cookie has room
    signIn({ ...browser, userAgent });
    expect(isNew(browser)).toBe(false);
  });

  it('tells numbers and names of users as the rest of the library does', () => {
    const browser = atLoginForm();
    signIn(browser, { user: { id: '7' } });
    expect(isNew(browser, { id: 7 })).toBe(false);
  });

  it('is told with the device and the time of the login', () => {
    const browser = atLoginForm();
    signIn(browser);
    const { id } = ask(browser).requestSession.presented.device!;
    expect(ask(browser).requestSession.presented.deviceUsedBy(ALICE)).toEqual({ id, since: NOW });
    const { requestSession, respond } = ask(browser);
    requestSession.responseCookies.writeDevice(ALICE, NOW + 1);
    respond();
    expect(ask(browser).requestSession.presented.deviceUsedBy(ALICE)).toEqual({ id, since: NOW + 1 });
  });

  it('is not known where the device cookie is off', () => {
    const isOn = (browser: Browser): boolean => ask(browser).requestSession.presented.knowsDevices;
    expect(isOn(atLoginForm())).toBe(true);
    configure(undefined);
    const browser = atLoginForm();
    signIn(browser);
    expect([isOn(browser), isNew(browser)]).toEqual([false, true]);
  });
});

describe('what a session is known by to be a browser’s', () => {
  it('is the same from the first login form on, through logins, restarts and new versions', () => {
    const browser = atLoginForm();
    const before = deviceOf(browser);
    expect(before).toMatch(/^[\w-]{11}$/);
    // a form that was sent twice
    expect([deviceOf(browser), signIn({ ...browser }), signIn(browser)]).toEqual([before, before, before]);
    expect(browser.cookie).toMatch(/-device=/);
    expect([deviceOf(browser), deviceOf({ ...browser, userAgent: UPDATED })]).toEqual([before, before]);
    signIn(browser);
    expect(deviceOf(browser)).toBe(before);
  });

  it('is another for each login form that no browser has signed in by', () => {
    expect(deviceOf(atLoginForm())).not.toBe(deviceOf(atLoginForm()));
  });

  it('is another in another browser family or on another platform, with whatever cookies', () => {
    const form = atLoginForm();
    const signedIn = { ...form };
    signIn(signedIn);
    for (const { cookie } of [form, signedIn]) {
      const known = [FIREFOX, CHROME, ON_WINDOWS, 'curl/8.5.0', undefined].map((userAgent) =>
        deviceOf({ userAgent, cookie }),
      );
      expect(new Set(known).size).toBe(known.length);
    }
  });

  it('goes by the device cookie where there is a login form as well', () => {
    const browser = atLoginForm();
    const device = signIn(browser);
    expect(deviceOf({ ...browser, cookie: `${atLoginForm().cookie}; ${browser.cookie}` })).toBe(device);
  });

  it('is nothing for a client that keeps no cookies, or sends forged ones', () => {
    const forged = `${cookies.device!.name}=${'A'.repeat(234)}`;
    for (const cookie of [undefined, 'theme=dark', forged]) {
      expect(deviceOf({ userAgent: FIREFOX, cookie })).toBeUndefined();
    }
  });

  it('is only the login form’s where the device cookie is off', () => {
    configure(undefined);
    const browser = atLoginForm();
    expect(deviceOf(browser)).toMatch(/^[\w-]{11}$/);
    expect(signIn(browser)).toBe(deviceOf(browser));
  });
});
