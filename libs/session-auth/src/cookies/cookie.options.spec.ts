import { describe, expect, it } from '@jest/globals';
import { serialize } from 'cookie-es';
import fc from 'fast-check';
import { cookieAttributes } from '../../test/fixtures/cookie-attributes.js';
import { cookieContradiction, type CookieAttributes } from './cookie.options.js';

const DEFAULTS = cookieAttributes();
const PLAIN = { name: 'session' };
const check = (changes: Partial<CookieAttributes>): ReturnType<typeof cookieContradiction> =>
  cookieContradiction({ ...DEFAULTS, ...changes });

describe('cookieContradiction', () => {
  it.each<[string, Partial<CookieAttributes>]>([
    ['the defaults', {}],
    ['a plain name without Secure', { ...PLAIN, secure: false }],
    ['a domain and a path with __Secure-', { name: '__Secure-session', domain: 'example.com', path: '/app' }],
    ['a domain with a dot in front', { ...PLAIN, domain: '.example.com' }],
    ['one label as a domain', { ...PLAIN, domain: 'localhost' }],
    ['the longest label', { ...PLAIN, domain: `${'a'.repeat(63)}.example` }],
    ['the longest domain', { ...PLAIN, domain: `${'a.'.repeat(126)}a` }],
    ['a prefix that is none, in the middle of the name', { name: 'my__Host-session', path: '/app', secure: false }],
    ['__Host-Http-', { name: '__Host-Http-session' }],
    ['__Http- with a path', { name: '__Http-session', path: '/app' }],
    ['SameSite=None with Secure', { sameSite: 'none' }],
    ['Partitioned with Secure', { partitioned: true }],
    ['the longest name', { name: 'n'.repeat(100) }],
  ])('has nothing against %s', (_what, changes) => {
    expect(check(changes)).toBeUndefined();
  });

  it.each<[string, string, Partial<CookieAttributes>]>([
    ['name', 'a blank in the name', { name: 'my session' }],
    ['name', 'a semicolon in the name', { name: 'session;' }],
    ['name', 'an equals sign in the name', { name: 'a=b' }],
    ['name', 'a line break in the name', { name: 'session\n' }],
    ['name', 'an empty name', { name: '' }],
    ['name', 'a name of 101 characters', { name: 'n'.repeat(101) }],
    ['path', 'a path without a slash in front', { ...PLAIN, path: 'app' }],
    ['path', 'a semicolon in the path', { ...PLAIN, path: '/a;b' }],
    ['path', 'a line break in the path', { ...PLAIN, path: '/a\r\nSet-Cookie: x=y' }],
    ['path', 'a path other than / with __Host-', { path: '/app' }],
    ['path', 'a path other than / with __host- in small letters', { name: '__host-session', path: '/app' }],
    ['path', 'a path other than / with __Host-Http-', { name: '__Host-Http-session', path: '/app' }],
    ['domain', 'a domain with __Host-', { domain: 'example.com' }],
    ['domain', 'a domain with __HOST-', { name: '__HOST-session', domain: 'example.com' }],
    ['domain', 'an address as domain', { ...PLAIN, domain: 'https://example.com' }],
    ['domain', 'a port in the domain', { ...PLAIN, domain: 'example.com:8080' }],
    ['domain', 'a semicolon in the domain', { ...PLAIN, domain: 'example.com; Path=/' }],
    ['domain', 'a dot at the end of the domain', { ...PLAIN, domain: 'example.com.' }],
    ['domain', 'a label of 64 characters', { ...PLAIN, domain: `${'a'.repeat(64)}.example` }],
    ['domain', 'a domain of more than 253 characters', { ...PLAIN, domain: 'a.'.repeat(127) + 'com' }],
    ['secure', '__Host- without Secure', { secure: false }],
    ['secure', '__Secure- without Secure', { name: '__Secure-session', secure: false }],
    ['secure', '__secure- in small letters without Secure', { name: '__secure-session', secure: false }],
    ['secure', '__Http- without Secure', { name: '__Http-session', secure: false }],
    ['sameSite', 'SameSite=None without Secure', { ...PLAIN, sameSite: 'none', secure: false }],
    ['partitioned', 'Partitioned without Secure', { ...PLAIN, partitioned: true, secure: false }],
  ])('names %s for %s', (option, _what, changes) => {
    expect(check(changes)).toEqual({ option, reason: expect.any(String) });
  });

  it.each<[string, Partial<CookieAttributes>]>([
    ['a token of RFC 9110 section 5.6.2 of at most 100 characters', { name: 'my session' }],
    ['a path that starts with / and has no blank, semicolon or control character', { ...PLAIN, path: 'app' }],
    ['a host name', { ...PLAIN, domain: 'example.com:8080' }],
    [
      'true with a name that begins with __Secure-; choose another cookie.name otherwise',
      { name: '__Secure-s', secure: false },
    ],
    [
      "none with a name that begins with __HOST-; cookie.name '__Secure-session' allows one",
      { name: '__HOST-s', domain: 'a.example' },
    ],
    ["'/' with a name that begins with __Host-Http-", { name: '__Host-Http-s', path: '/app' }],
    ["'none' only with secure: true", { ...PLAIN, sameSite: 'none', secure: false }],
    ['true only with secure: true', { ...PLAIN, partitioned: true, secure: false }],
  ])('says what is allowed: %s', (reason, changes) => {
    expect(check(changes)?.reason).toBe(reason);
  });

  it('lets nothing pass that could not be written later', () => {
    const attributes = fc.record<CookieAttributes>({
      name: fc.oneof(fc.string(), fc.constantFrom('session', '__Host-a', '__Secure-a', '__Http-a', '__HOST-a')),
      path: fc.oneof(fc.string(), fc.constantFrom('/', '/app')),
      domain: fc.oneof(fc.constant(undefined), fc.domain(), fc.string(), fc.constant(`${'a'.repeat(70)}.com`)),
      sameSite: fc.constantFrom('lax', 'strict', 'none'),
      secure: fc.boolean(),
      partitioned: fc.boolean(),
      maxAge: fc.constant(undefined),
    });
    fc.assert(
      fc.property(attributes, ({ name, maxAge: _, ...rest }) => {
        fc.pre(cookieContradiction({ name, maxAge: undefined, ...rest }) === undefined);
        expect(() => serialize(name, 'value', rest)).not.toThrow();
      }),
    );
  });
});
