import { describe, expect, it, jest } from '@jest/globals';
import { parseSetCookie } from 'cookie-es';
import fc from 'fast-check';
import { cookieAttributes } from '../../test/fixtures/cookie-attributes.js';
import { anyCharacter } from '../../test/any-character.js';
import { KeyRing } from '../crypto/key-ring.js';
import { digestOf, issueSessionToken, markOfUser } from '../crypto/session-token.js';
import { MAX_COOKIE_AGE, type CookieAttributes } from './cookie.options.js';
import { SessionCookie, type SessionOfCookie } from './session-cookie.js';

const SECRET = 'a secret that is long enough for tests';
const HOUR = 3_600_000;
const NOW = Date.UTC(2026, 0, 1);
const END = NOW + 24 * HOUR;
const NAME = '__Host-session';

function makeCookie(
  changes: Partial<CookieAttributes> = {},
  { secrets = [SECRET], absolute = 24 * HOUR, idle = HOUR } = {},
): SessionCookie {
  const attributes = cookieAttributes({ name: NAME, ...changes });
  return new SessionCookie(new KeyRing(secrets), { attributes, absolute, idle });
}

/** Returns the `name=value` that a browser sends back. */
function pairOf(setCookie: string): string {
  return setCookie.slice(0, setCookie.indexOf(';'));
}

/** Alice's session with the fields that a cookie needs. */
function until(end: number): SessionOfCookie {
  return { userId: 'alice', absoluteExpiresAt: new Date(end) };
}

const token = issueSessionToken('alice');
const OPENED = { token, digest: digestOf(token), userMark: markOfUser('alice') };
const cookie = makeCookie();
const pair = pairOf(cookie.issue(token, until(END), NOW));
const value = pair.slice(NAME.length + 1);

describe('SessionCookie.read', () => {
  it('reads what it issued, alone and among other cookies', () => {
    for (const header of [
      pair,
      `theme=dark; ${pair}`,
      `${pair}; theme=dark`,
      `a=1;${pair};b=2`,
      `  ${pair}  `,
      `x${pair}; ${pair}`,
      `flag; ${pair}; ;;=;`,
      `theme="${NAME}"; ${pair}`,
    ]) {
      expect(cookie.read(header, NOW)).toEqual(OPENED);
    }
  });

  it('reads nothing where there is nothing', () => {
    for (const header of [undefined, '', ';', 'theme=dark', `theme=${NAME}`, NAME, `${NAME}=`, `${NAME}; ${NAME}`]) {
      expect(cookie.read(header, NOW)).toBeUndefined();
    }
  });

  it('hands on as text what is there under its name, genuine or not', () => {
    expect(['x=1', pair, `${NAME}=x; ${NAME}=y`].map((header) => cookie.find(header, NOW)?.text)).toEqual([
      undefined,
      value,
      'x,y',
    ]);
  });

  it('holds no readable token', () => {
    expect(value).not.toContain(token);
    const bytes = Buffer.from(value, 'base64url');
    for (const part of [token.slice(2, 22), token.slice(22)]) {
      for (const plain of [Buffer.from(part), Buffer.from(part, 'base64url')])
        expect(bytes.includes(plain)).toBe(false);
    }
  });

  it.each([
    ['an altered first character', `${NAME}=${value[0] === 'A' ? 'B' : 'A'}${value.slice(1)}`],
    ['a character less', pair.slice(0, -1)],
    ['a character more', `${pair}A`],
    ['padding', `${pair}=`],
    ['quotes around the value', `${NAME}="${value}"`],
    ['a percent-encoded value', `${NAME}=%${value.charCodeAt(0).toString(16)}${value.slice(1)}`],
    ['a percent-encoded name', `%5F_Host-session=${value}`],
    ['the token itself', `${NAME}=${token}`],
    ['a chosen value of the right length', `${NAME}=${'A'.repeat(value.length)}`],
    ['a value of 100 kB', `${NAME}=${'A'.repeat(100_000)}`],
    ['a blank inside the value', `${NAME}=${value.slice(0, 9)} ${value.slice(9)}`],
    ['a comma instead of a semicolon', `theme=dark, ${pair}`],
    ['the name in capitals', pair.toUpperCase().slice(0, NAME.length) + pair.slice(NAME.length)],
    ['the name in small letters', pair.toLowerCase().slice(0, NAME.length) + pair.slice(NAME.length)],
    ['the name with something in front', `x${pair}`],
    ['the value of an expired cookie', pairOf(cookie.expire())],
  ])('refuses %s', (_what, header) => {
    expect(cookie.read(header, NOW)).toBeUndefined();
  });

  it('refuses a second cookie of the name, in either order, whatever it holds', () => {
    for (const other of [pair, pairOf(cookie.issue(token, until(END), NOW)), `${NAME}=x`, `${NAME}=`, `${NAME}= `]) {
      expect(cookie.read(`${pair}; ${other}`, NOW)).toBeUndefined();
      expect(cookie.read(`${other}; ${pair}`, NOW)).toBeUndefined();
      expect(cookie.read(`${other}; theme=dark; ${pair}; ${other}`, NOW)).toBeUndefined();
    }
  });

  it('refuses a value that was sealed for another name', () => {
    const other = pairOf(makeCookie({ name: '__Host-other' }).issue(token, until(END), NOW));
    expect(cookie.read(other.replace('__Host-other', NAME), NOW)).toBeUndefined();
  });

  it('refuses a value that the same key sealed for another purpose', () => {
    const keys = new KeyRing([SECRET]);
    const plaintext = keys.open(value, `session-cookie:${NAME}`)!.plaintext;
    expect(cookie.read(`${NAME}=${keys.seal(plaintext, `pre-session-cookie:${NAME}`)}`, NOW)).toBeUndefined();
  });

  it('refuses a genuine seal over what is no token', () => {
    const notToken = pairOf(cookie.issue(`**${token.slice(2)}`, until(END), NOW));
    expect(cookie.read(notToken, NOW)).toBeUndefined();
  });

  it('refuses a genuine seal over fields of another layout', () => {
    const keys = new KeyRing([SECRET]);
    const context = `session-cookie:${NAME}`;
    const { plaintext } = keys.open(value, context)!;
    const laidOut = (layout: number): string => {
      const fields = Buffer.from(plaintext);
      fields[0] = layout;
      return `${NAME}=${keys.seal(fields, context)}`;
    };
    expect([0, 1, 3, 255].map((layout) => cookie.read(laidOut(layout), NOW))).toEqual(Array(4).fill(undefined));
    expect(cookie.read(laidOut(2), NOW)).toEqual(OPENED);
  });

  it('refuses it from its end on', () => {
    const ending = pairOf(cookie.issue(token, until(NOW + 1000), NOW));
    expect(cookie.read(ending, NOW + 999)).toBeDefined();
    expect(cookie.read(ending, NOW + 1000)).toBeUndefined();
  });

  it('refuses it `absolute` after it was sealed, also when the configuration was shortened meanwhile', () => {
    const shortened = makeCookie({}, { absolute: 8 * HOUR });
    expect(shortened.read(pair, NOW + 8 * HOUR - 1)).toBeDefined();
    expect(shortened.read(pair, NOW + 8 * HOUR)).toBeUndefined();
    const lengthened = makeCookie({}, { absolute: 48 * HOUR });
    expect(lengthened.read(pair, END - 1)).toBeDefined();
    expect(lengthened.read(pair, END)).toBeUndefined();
  });

  it('refuses what has ended also when it was opened before, and goes by the clock of each request', () => {
    const known = makeCookie();
    const header = pairOf(known.issue(token, until(NOW + 1000), NOW));
    expect(known.read(header, NOW)).toEqual(OPENED);
    expect(known.read(header, NOW + 999)).toEqual(OPENED);
    expect(known.read(header, NOW + 1000)).toBeUndefined();
    expect(known.read(header, NOW)).toEqual(OPENED);
  });

  it('opens a few thousand others in between all the same, and takes nothing for one that it opened before', () => {
    const known = makeCookie();
    const headers = Array.from({ length: 10_000 }, () => issueSessionToken('alice')).map(
      (each) => [each, pairOf(known.issue(each, until(END), NOW))] as const,
    );
    for (let round = 0; round < 2; round++) {
      for (const [each, header] of headers) expect(known.read(header, NOW)?.token).toBe(each);
      const [, header] = headers[9_999]!;
      const last = header.at(-1) === 'A' ? 'B' : 'A';
      for (let again = 0; again < 3; again++) expect(known.read(header.slice(0, -1) + last, NOW)).toBeUndefined();
    }
  });

  it('is opened once, however often it comes, and anew each time where it is refused', () => {
    const opens = jest.spyOn(KeyRing.prototype, 'open');
    const known = makeCookie();
    const header = pairOf(known.issue(token, until(END), NOW));
    for (let request = 0; request < 3; request += 1) known.read(header, NOW);
    expect(opens).toHaveBeenCalledTimes(1);
    for (let request = 0; request < 3; request += 1) known.read(`${NAME}=${'A'.repeat(value.length)}`, NOW);
    expect(opens).toHaveBeenCalledTimes(4);
    opens.mockRestore();
  });

  it('says when an older key opened it, and refuses a key that was removed', () => {
    const next = 'the next secret that is long enough too';
    expect(makeCookie({}, { secrets: [next, SECRET] }).find(pair, NOW)).toMatchObject({
      content: OPENED,
      outdated: true,
    });
    expect(makeCookie({}, { secrets: [next] }).read(pair, NOW)).toBeUndefined();
  });

  it('never throws and never opens, whatever a client sends', () => {
    const nasty = fc.oneof(
      fc.string({ unit: anyCharacter, maxLength: 400 }),
      fc.string({ minLength: value.length, maxLength: value.length }).map((forged) => `${NAME}=${forged}`),
      fc
        .array(fc.constantFrom(NAME, value.slice(1), '=', ';', ' ', '"', '%5F', ',', '\0'))
        .map((parts) => parts.join('')),
      fc
        .tuple(fc.nat(value.length - 1), fc.string({ minLength: 1, maxLength: 1 }))
        .filter(([at, character]) => value[at] !== character)
        .map(([at, character]) => `${NAME}=${value.slice(0, at)}${character}${value.slice(at + 1)}`),
    );
    fc.assert(
      fc.property(nasty, (header) => {
        expect(cookie.read(header, NOW)).toBeUndefined();
      }),
      { numRuns: 500 },
    );
  });

  it('opens for any token and times that it was issued with', () => {
    const times = fc.record({ now: fc.nat(2 ** 43), remaining: fc.integer({ min: 1, max: 24 * HOUR }) });
    fc.assert(
      fc.property(fc.option(fc.string(), { nil: undefined }), times, (userId, { now, remaining }) => {
        const issued = issueSessionToken(userId);
        const absoluteExpiresAt = new Date(now + remaining);
        const header = pairOf(cookie.issue(issued, { userId, absoluteExpiresAt }, now));
        expect(cookie.read(header, now)).toEqual({
          token: issued,
          digest: digestOf(issued),
          userMark: markOfUser(userId),
        });
        expect(cookie.read(header, now + remaining)).toBeUndefined();
      }),
    );
  });
});

describe('SessionCookie.issue', () => {
  it('writes the defaults: for this host, HttpOnly, Secure, SameSite=Lax, until the browser closes', () => {
    expect(cookie.name).toBe(NAME);
    expect(cookie.issue(token, until(END), NOW).slice(pair.length)).toBe('; Path=/; HttpOnly; Secure; SameSite=Lax');
  });

  it('writes every attribute that is configured', () => {
    const full = makeCookie({
      name: '__Secure-session',
      path: '/app',
      domain: 'example.com',
      sameSite: 'none',
      partitioned: true,
      maxAge: HOUR,
    });
    expect(parseSetCookie(full.issue(token, until(END), NOW))).toEqual({
      name: '__Secure-session',
      value: expect.any(String),
      path: '/app',
      domain: 'example.com',
      sameSite: 'none',
      httpOnly: true,
      secure: true,
      partitioned: true,
      maxAge: 3600,
    });
  });

  it('leaves out what is off, but never HttpOnly', () => {
    const plain = makeCookie({ name: 'session', secure: false, sameSite: 'strict' }).issue(token, until(END), NOW);
    expect(plain.slice(plain.indexOf(';'))).toBe('; Path=/; HttpOnly; SameSite=Strict');
  });

  it('fits into a cookie many times over, and is always as long', () => {
    const lengths = ['a', 'b'].map((user) => cookie.issue(issueSessionToken(user), until(END), NOW).length);
    expect(new Set(lengths).size).toBe(1);
    expect(lengths[0]).toBeLessThan(512);
  });

  it('is never the same twice', () => {
    expect(cookie.issue(token, until(END), NOW)).not.toBe(cookie.issue(token, until(END), NOW));
  });

  it.each<[string, CookieAttributes['maxAge'], number, number | undefined]>([
    ['none', undefined, 24 * HOUR, undefined],
    ['the idle time', 'idle', 24 * HOUR, 3600],
    ['what is left, when that is less than the idle time', 'idle', 600_000, 600],
    ['what is left', 'absolute', 24 * HOUR, 86_400],
    ['a fixed time', 90_000, 24 * HOUR, 90],
    ['whole seconds, rounded up', 1500, 24 * HOUR, 2],
    ['400 days at most', MAX_COOKIE_AGE * 2, 24 * HOUR, 34_560_000],
    ['400 days at most of what is left', 'absolute', MAX_COOKIE_AGE + HOUR, 34_560_000],
    ['0 for a session that is over', 'absolute', -HOUR, 0],
  ])('writes as Max-Age %s', (_what, maxAge, remaining, expected) => {
    const issued = makeCookie({ maxAge }).issue(token, until(NOW + remaining), NOW);
    expect(parseSetCookie(issued)?.maxAge).toBe(expected);
    expect(issued).not.toContain('Expires');
  });

  it('follows the idle expiry only when told to', () => {
    expect(makeCookie({ maxAge: 'idle' }).followsIdle).toBe(true);
    expect([undefined, 'absolute' as const, HOUR].map((maxAge) => makeCookie({ maxAge }).followsIdle)).toEqual([
      false,
      false,
      false,
    ]);
  });
});

describe('SessionCookie.expire', () => {
  it.each<[string, Partial<CookieAttributes>]>([
    ['the defaults', {}],
    ['a Max-Age', { maxAge: HOUR }],
    [
      'every attribute',
      { name: '__Secure-s', path: '/app', domain: 'example.com', sameSite: 'none', partitioned: true, maxAge: 'idle' },
    ],
  ])('removes the cookie with the attributes it was issued with: %s', (_what, changes) => {
    const made = makeCookie(changes);
    const { value: issued, maxAge: _, ...attributes } = parseSetCookie(made.issue(token, until(END), NOW))!;
    expect(issued).not.toBe('');
    expect(parseSetCookie(made.expire())).toEqual({ ...attributes, value: '', maxAge: 0, expires: new Date(0) });
  });
});
