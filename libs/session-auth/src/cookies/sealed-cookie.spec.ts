import { describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { KeyRing } from '../crypto/key-ring.js';
import { MAX_COOKIE_AGE, type CookieAttributes } from './cookie.options.js';
import { PreSessionCookie } from './pre-session-cookie.js';
import { SealedCookie } from './sealed-cookie.js';

const KEYS = new KeyRing(['a test secret that everybody may know, 1']);
const ATTRIBUTES: CookieAttributes = {
  name: '__Host-a',
  path: '/',
  domain: undefined,
  sameSite: 'lax',
  secure: true,
  partitioned: false,
  maxAge: undefined,
};

function valueOf(setCookie: string): string {
  return setCookie.slice(setCookie.indexOf('=') + 1, setCookie.indexOf(';'));
}

describe('a sealed cookie', () => {
  const plaintext = randomBytes(16);
  const cookie = new SealedCookie(KEYS, 'purpose', ATTRIBUTES, 16);
  const value = valueOf(cookie.seal(plaintext, undefined));

  it('opens what it sealed', () => {
    expect(cookie.open(`__Host-a=${value}`)).toEqual({ plaintext, outdated: false });
    expect(cookie.open(`x=1; __Host-a=${value}; y=2`)?.plaintext).toEqual(plaintext);
    for (const header of [undefined, '', 'x=1', `__Host-a=${value}; __Host-a=${value}`]) {
      expect(cookie.open(header)).toBeUndefined();
    }
  });

  it('is written with its attributes, HttpOnly in any case, and an age in whole seconds of 400 days at most', () => {
    const rest = '; Path=/; HttpOnly; Secure; SameSite=Lax';
    const written = (maxAge: number | undefined): string => cookie.seal(plaintext, maxAge).replace(/^[^;]+/, '');
    expect(written(undefined)).toBe(rest);
    expect(written(1001)).toBe(`; Max-Age=2${rest}`);
    expect(written(MAX_COOKIE_AGE + 1)).toBe(`; Max-Age=34560000${rest}`);
    const wide = { ...ATTRIBUTES, path: '/app', domain: 'example.com', sameSite: 'none' as const, partitioned: true };
    const other = new SealedCookie(KEYS, 'purpose', { ...wide, name: '__Secure-a' }, 16);
    expect(other.seal(plaintext, undefined).replace(/^[^;]+/, '')).toBe(
      '; Domain=example.com; Path=/app; HttpOnly; Secure; Partitioned; SameSite=None',
    );
    expect(cookie.expire()).toBe(
      '__Host-a=; Max-Age=0; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure; SameSite=Lax',
    );
  });

  it('is worth nothing for another purpose or under another name, though it has the same length', () => {
    const other = new SealedCookie(KEYS, 'other', ATTRIBUTES, 16);
    const renamed = new SealedCookie(KEYS, 'purpose', { ...ATTRIBUTES, name: '__Host-b' }, 16);
    expect(other.open(`__Host-a=${value}`)).toBeUndefined();
    expect(renamed.open(`__Host-b=${value}`)).toBeUndefined();
  });

  it('opens none of another length or that is there twice, and hands on any text that there is', () => {
    for (const header of [`__Host-a=${value}A`, `__Host-a=${value.slice(1)}`, `__Host-a=${value}; __Host-a=x`, 'x=1']) {
      expect(cookie.open(header)).toBeUndefined();
    }
    // joined, these are as long as a genuine one
    const half = value.slice(0, value.length / 2);
    expect(cookie.open(`__Host-a=${half}; __Host-a=${value.slice(half.length + 1)}`)).toBeUndefined();
    expect(cookie.textIn(`x=1; __Host-a=${value}`)).toBe(value);
    expect(cookie.textIn('__Host-a=%41; x=1')).toBe('%41');
    expect(cookie.textIn('__Host-a=x; __Host-a=y')).toBe('x,y');
    expect(cookie.textIn('x=1')).toBeUndefined();
  });

  it('is worth nothing where it holds more or less than is meant', () => {
    for (const bytes of [15, 17]) {
      const other = valueOf(new SealedCookie(KEYS, 'purpose', ATTRIBUTES, bytes).seal(randomBytes(bytes), undefined));
      expect(cookie.open(`__Host-a=${other}`)).toBeUndefined();
    }
  });

  it('knows whether it is there, genuine or not, by its exact name', () => {
    for (const header of ['__Host-a=', '__Host-a=x; __Host-a=y']) expect(cookie.isIn(header)).toBe(true);
    for (const header of [undefined, '', '__Host-ab=x', '__host-a=x', 'x=__Host-a']) {
      expect(cookie.isIn(header)).toBe(false);
    }
  });
});

describe('a pre-session cookie', () => {
  const DAY = 86_400_000;
  const cookie = new PreSessionCookie(KEYS, ATTRIBUTES, DAY);

  it('gives back its id until its lifetime is over', () => {
    const id = PreSessionCookie.newId();
    const header = `${cookie.name}=${valueOf(cookie.issue(id, 1000))}`;
    expect(cookie.read(header, 1000 + DAY - 1)).toEqual({ id, outdated: false });
    expect(cookie.read(header, 1000 + DAY)).toBeUndefined();
  });

  it('is nothing that another sealed cookie of its length and name could stand for', () => {
    const attributes = { ...ATTRIBUTES, name: cookie.name };
    const forged = valueOf(
      new SealedCookie(KEYS, 'session-cookie', attributes, 38).seal(Buffer.alloc(38, 0xff), undefined),
    );
    expect(forged).toHaveLength(valueOf(cookie.issue(PreSessionCookie.newId(), 0)).length);
    expect(cookie.read(`${cookie.name}=${forged}`, 0)).toBeUndefined();
  });
});
