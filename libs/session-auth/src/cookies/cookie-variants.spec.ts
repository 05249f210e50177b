import { describe, expect, it } from '@jest/globals';
import { cookieAttributes } from '../../test/fixtures/cookie-attributes.js';
import { otherVariants } from './cookie-variants.js';
import type { CookieAttributes } from './cookie.options.js';

/** Each variant in words: domain, path, `partitioned`. */
function variants(attributes: Partial<CookieAttributes>, host: unknown = 'www.bank.example', path = '/'): string[] {
  const all = otherVariants(cookieAttributes({ name: 'id', secure: false, ...attributes }), { host, path });
  return all.map((each) => `${each.domain ?? ''} ${each.path}${each.partitioned ? ' partitioned' : ''}`).sort();
}

describe('where else a browser may keep a cookie', () => {
  it('is this host only or any name above it, at every path above the target, but not where it is configured', () => {
    expect(variants({}, 'www.bank.example:8443')).toEqual(['bank.example /', 'www.bank.example /']);
    expect(variants({ domain: 'bank.example' })).toEqual([' /', 'www.bank.example /']);
    expect(variants({ domain: '.Bank.example' })).toEqual([' /', 'www.bank.example /']);
    expect(variants({}, 'localhost', '/api/me')).toEqual([' /api', ' /api/', ' /api/me', ' /api/me/']);
    expect(variants({ path: '/app' }, 'localhost', '/app/')).toEqual([' /', ' /app/']);
  });

  it('is one place under __Host-, and one more for a partitioned cookie where it is Secure', () => {
    for (const name of ['__Host-id', '__host-id']) {
      expect(variants({ name, secure: true }, 'www.bank.example', '/api')).toEqual([' / partitioned']);
      expect(variants({ name, secure: true, partitioned: true })).toEqual([' /']);
    }
    expect(variants({ secure: true }, 'localhost')).toEqual([' / partitioned']);
  });

  it('is asked for of no host that is none: an address, a name with something else in it, nothing', () => {
    const hosts = ['127.0.0.1', '[::1]', 'localhost', '', null, ['a.b'], 'a.b; Path=/x', 'a.b\r\nx', 'a..b', 'a.b,c.d'];
    for (const host of hosts) expect(variants({}, host)).toEqual([]);
    for (const path of ['/a;b', '/a\r\n', '/ä']) expect(variants({}, 'localhost', path)).toEqual([]);
  });

  it('is bounded, however deep host and path are', () => {
    const deep = variants({ domain: 'a.example' }, `${'a.'.repeat(60)}example`, '/a'.repeat(500));
    expect(deep.length).toBeLessThanOrEqual(32);
    expect(deep).toContain(' /');
    const long = `/${'a'.repeat(10_000)}`;
    expect(variants({}, 'localhost', `/app${long}`)).toEqual([' /app', ' /app/']);
    const hosts = Array.from('abc', (letter) => letter.repeat(63)).join('.');
    const wide = otherVariants(cookieAttributes({ name: 'id', secure: false }), {
      host: `${hosts}.example`,
      path: long,
    });
    expect(wide.map(({ path }) => path)).toEqual(['/', '/', '/']);
    const both = otherVariants(cookieAttributes({ name: 'id', secure: false }), {
      host: `${hosts}.example`,
      path: `/${'a'.repeat(300)}`.repeat(4),
    });
    expect(both.reduce((length, { path, domain = '' }) => length + path.length + domain.length, 0)).toBeLessThan(2049);
  });
});
