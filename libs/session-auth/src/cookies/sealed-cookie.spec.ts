import { describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { KeyRing } from '../crypto/key-ring.js';
import { cookieAttributes } from '../../test/fixtures/cookie-attributes.js';
import { MAX_COOKIE_AGE, type CookieAttributes } from './cookie.options.js';
import { PreSessionCookie } from './pre-session-cookie.js';
import { bytesField, type CookieTimes, SealedCookie } from './sealed-cookie.js';

const KEYS = new KeyRing(['a test secret that everybody may know, 1']);
const ATTRIBUTES = cookieAttributes({ name: '__Host-a' });

function valueOf(setCookie: string): string {
  return setCookie.slice(setCookie.indexOf('=') + 1, setCookie.indexOf(';'));
}

interface Content extends CookieTimes {
  readonly bytes: Uint8Array;
}

/** A cookie of some bytes, which never expire. */
class BytesCookie extends SealedCookie<Content> {
  constructor(attributes: CookieAttributes, purpose = 'purpose', bytes = 16) {
    super(KEYS, attributes, {
      purpose,
      fields: { bytes: bytesField(bytes) },
    });
  }

  issue(bytes: Uint8Array, maxAge?: number): string {
    return this.seal({ bytes }, maxAge);
  }
}

describe('a sealed cookie', () => {
  const bytes = randomBytes(16);
  const cookie = new BytesCookie(ATTRIBUTES);
  const value = valueOf(cookie.issue(bytes));
  const read = (header: string | undefined, by = cookie): Uint8Array | undefined => by.read(header, 0)?.bytes;

  it('opens what it sealed', () => {
    expect(cookie.find(`__Host-a=${value}`, 0)).toEqual({
      text: value,
      content: { bytes },
      outdated: false,
      ambiguous: false,
    });
    expect(read(`x=1; __Host-a=${value}; y=2`)).toEqual(bytes);
    for (const header of [undefined, '', 'x=1', `__Host-a=${value}; __Host-a=${value}`]) {
      expect(read(header)).toBeUndefined();
    }
  });

  it('is written with its attributes, HttpOnly in any case, and an age in whole seconds of 400 days at most', () => {
    const rest = '; Path=/; HttpOnly; Secure; SameSite=Lax';
    const written = (maxAge: number | undefined): string => cookie.issue(bytes, maxAge).replace(/^[^;]+/, '');
    expect(written(undefined)).toBe(rest);
    expect(written(1001)).toBe(`; Max-Age=2${rest}`);
    expect(written(MAX_COOKIE_AGE + 1)).toBe(`; Max-Age=34560000${rest}`);
    const wide = { ...ATTRIBUTES, path: '/app', domain: 'example.com', sameSite: 'none' as const, partitioned: true };
    const other = new BytesCookie({ ...wide, name: '__Secure-a' });
    expect(other.issue(bytes).replace(/^[^;]+/, '')).toBe(
      '; Domain=example.com; Path=/app; HttpOnly; Secure; Partitioned; SameSite=None',
    );
    expect(cookie.expire()).toBe(
      '__Host-a=; Max-Age=0; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure; SameSite=Lax',
    );
  });

  it('is worth nothing for another purpose or under another name, though it has the same length', () => {
    expect(read(`__Host-a=${value}`, new BytesCookie(ATTRIBUTES, 'other'))).toBeUndefined();
    const renamed = new BytesCookie({ ...ATTRIBUTES, name: '__Host-b' });
    expect(read(`__Host-b=${value}`, renamed)).toBeUndefined();
  });

  it('opens none of another length or that is there twice, and hands on any text that there is', () => {
    for (const header of [`__Host-a=${value}A`, `__Host-a=${value.slice(1)}`, `__Host-a=${value}; __Host-a=x`, 'x=1']) {
      expect(read(header)).toBeUndefined();
    }
    // together they are as long as a genuine one
    const half = value.slice(0, value.length / 2);
    expect(read(`__Host-a=${half}; __Host-a=${value.slice(half.length + 1)}`)).toBeUndefined();
    const textIn = (header: string): string | undefined => cookie.find(header, 0)?.text;
    expect(textIn(`x=1; __Host-a=${value}`)).toBe(value);
    expect(textIn('__Host-a=%41; x=1')).toBe('%41');
    expect(textIn('__Host-a=x; __Host-a=y')).toBe('x,y');
    expect(textIn('x=1')).toBeUndefined();
  });

  it('is worth nothing where it holds more or less than is meant', () => {
    for (const length of [15, 17]) {
      const other = valueOf(new BytesCookie(ATTRIBUTES, 'purpose', length).issue(randomBytes(length)));
      expect(read(`__Host-a=${other}`)).toBeUndefined();
    }
  });

  it('is found, genuine or not, by its exact name', () => {
    const isThere = (header: string | undefined): boolean => cookie.find(header, 0) !== undefined;
    for (const header of ['__Host-a=', '__Host-a=x; __Host-a=y']) expect(isThere(header)).toBe(true);
    for (const header of [undefined, '', '__Host-ab=x', '__host-a=x', 'x=__Host-a']) {
      expect(isThere(header)).toBe(false);
    }
  });
});

describe('a pre-session cookie', () => {
  const DAY = 86_400_000;
  const cookie = new PreSessionCookie(KEYS, ATTRIBUTES, DAY);

  it('gives back its id until its lifetime is over', () => {
    const id = PreSessionCookie.newId();
    const header = `${cookie.name}=${valueOf(cookie.issue(id, 1000))}`;
    expect(cookie.read(header, 1000 + DAY - 1)?.id).toBe(id);
    expect(cookie.read(header, 1000 + DAY)).toBeUndefined();
  });

  it('is nothing that another sealed cookie of its length and name could stand for', () => {
    const attributes = { ...ATTRIBUTES, name: cookie.name };
    const forged = valueOf(new BytesCookie(attributes, 'session-cookie', 38).issue(Buffer.alloc(38, 0xff)));
    expect(forged).toHaveLength(valueOf(cookie.issue(PreSessionCookie.newId(), 0)).length);
    expect(cookie.read(`${cookie.name}=${forged}`, 0)).toBeUndefined();
  });
});
