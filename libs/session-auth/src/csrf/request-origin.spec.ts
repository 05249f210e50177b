import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { anyCharacter } from '../../test/any-character.js';
import {
  isAmong,
  judgeOrigin,
  parseOrigin,
  parseOwnOrigin,
  parseReferer,
  parseTrustedOrigin,
  type OriginHeaders,
} from './request-origin.js';

const OWN = [parseOrigin('https://bank.example')!];
const TRUSTED = ['https://shop.example', 'https://*.pay.example:8443', 'capacitor://localhost'].map((text) =>
  parseTrustedOrigin(text)!,
);

/** Values that no browser sends, or that name another origin. */
const FOREIGN = [
  'null',
  '',
  ' ',
  '*',
  'https://',
  'bank.example',
  '//bank.example',
  'https:bank.example',
  'https:/bank.example',
  'https:\\\\bank.example',
  'https://bank.example/',
  'https://bank.example/path',
  'https://bank.example?',
  'https://bank.example#',
  'https://bank.example:443',
  'https://bank.example:8443',
  'https://bank.example.',
  'https://bank.example.evil.example',
  'https://evil.example/https://bank.example',
  'https://evilbank.example',
  'https://bank-example',
  'https://bank.example@evil.example',
  'https://evil.example@bank.example',
  'https://user:secret@bank.example',
  'https://www.bank.example',
  'https://BANK.example',
  'HTTPS://bank.example',
  'http://bank.example',
  'ftp://bank.example',
  'javascript://bank.example',
  'https://bank.example https://evil.example',
  'https://bank.example,https://evil.example',
  'https://bank.example, https://bank.example',
  'https://bank.example\t',
  'https://bank.example\0',
  'https://bank%2eexample',
  'https://bаnk.example',
  'https://xn--bnk-5cd.example',
  'https://[::1]',
  'https://pay.example:8443',
  'https://a.pay.example',
  'http://a.pay.example:8443',
  'https://a.pay.example:84430',
  'https://apay.example:8443',
  'https://.pay.example:8443',
  'https://*.pay.example:8443',
  'https://a.pay.example.evil.example:8443',
  'https://www.shop.example',
  'http://shop.example',
  'https://shop.example:8443',
  'capacitor://localhost:80',
  'capacitor://other',
];

const headers = (given: Partial<OriginHeaders>): OriginHeaders => ({
  origin: undefined,
  referer: undefined,
  secFetchSite: undefined,
  ...given,
});
const judge = (given: Partial<OriginHeaders>): string | undefined => judgeOrigin(headers(given), OWN, TRUSTED);

describe('parseOrigin', () => {
  it.each([
    ['https://bank.example', { scheme: 'https', host: 'bank.example', port: '' }],
    ['http://localhost:3000', { scheme: 'http', host: 'localhost', port: '3000' }],
    ['http://[::1]:3000', { scheme: 'http', host: '[::1]', port: '3000' }],
    ['https://xn--bcher-kva.example', { scheme: 'https', host: 'xn--bcher-kva.example', port: '' }],
    ['chrome-extension://abcdef', { scheme: 'chrome-extension', host: 'abcdef', port: '' }],
  ])('reads %s', (text, origin) => {
    expect(parseOrigin(text)).toEqual(origin);
  });

  it('takes anything, never throws, and reads nothing but what it would write', () => {
    fc.assert(
      fc.property(fc.oneof(fc.anything(), fc.string({ unit: anyCharacter }), fc.webUrl()), (value) => {
        const origin = parseOrigin(value);
        if (origin === undefined) return;
        expect(`${origin.scheme}://${origin.host}${origin.port && `:${origin.port}`}`).toBe(value);
      }),
      { numRuns: 2000 },
    );
  });

  it.each(['https://0x7f.1', 'https://bank.example:08443', 'https://bank.example:70000', 'http://[0:0::1]'])(
    'refuses %s, which a browser would write another way',
    (text) => {
      expect(parseOrigin(text)).toBeUndefined();
    },
  );

  it('refuses what is too long to be one', () => {
    expect(parseOrigin(`https://${'a.'.repeat(300)}example`)).toBeUndefined();
  });
});

describe('parseReferer', () => {
  it('finds the origin of a URL, and nothing in what is none', () => {
    expect(parseReferer('https://bank.example:443/a?b#c')).toEqual(OWN[0]);
    for (const value of ['', 'about:blank', '/path', 'null', 'data:,x', ['https://bank.example/']]) {
      expect(parseReferer(value)).toBeUndefined();
    }
    fc.assert(fc.property(fc.anything(), (value) => void parseReferer(value)));
    fc.assert(fc.property(fc.string({ unit: anyCharacter }), (value) => void parseReferer(value)));
  });
});

describe('parseOwnOrigin', () => {
  it('makes an origin of protocol and Host, as a browser would write it', () => {
    expect(parseOwnOrigin('https', 'Bank.Example:443')).toEqual(OWN[0]);
    expect(parseOwnOrigin('http', 'localhost:3000')).toEqual({ scheme: 'http', host: 'localhost', port: '3000' });
  });

  it('makes none of what is no host', () => {
    for (const host of [undefined, '', 'a b', 'user@bank.example', 'bank.example/x', 'bank.example?x', 'a\\b', 'a:x']) {
      expect(parseOwnOrigin('https', host)).toBeUndefined();
    }
    expect(parseOwnOrigin(undefined, 'bank.example')).toBeUndefined();
    expect(parseOwnOrigin('javascript', 'bank.example')).toBeUndefined();
    fc.assert(fc.property(fc.anything(), fc.anything(), (a, b) => void parseOwnOrigin(a, b)));
  });
});

describe('parseTrustedOrigin', () => {
  it.each([
    ['https://Shop.Example/', { scheme: 'https', host: 'shop.example', port: '', subdomains: false }],
    ['https://shop.example:443', { scheme: 'https', host: 'shop.example', port: '', subdomains: false }],
    ['shop.example', { scheme: 'https', host: 'shop.example', port: '', subdomains: false }],
    ['*.bank.example', { scheme: 'https', host: 'bank.example', port: '', subdomains: true }],
    ['http://*.bank.example:8080', { scheme: 'http', host: 'bank.example', port: '8080', subdomains: true }],
    ['http://*.localhost:3000', { scheme: 'http', host: 'localhost', port: '3000', subdomains: true }],
    ['capacitor://localhost', { scheme: 'capacitor', host: 'localhost', port: '', subdomains: false }],
    ['https://bücher.example', { scheme: 'https', host: 'xn--bcher-kva.example', port: '', subdomains: false }],
  ])('reads %s', (text, origin) => {
    expect(parseTrustedOrigin(text)).toEqual(origin);
  });

  it.each([
    '',
    '*',
    '*.',
    'https://*',
    '*.example',
    '*.*.example.com',
    'a.*.example.com',
    'https://shop.example/path',
    'https://shop.example?x',
    'https://u@shop.example',
    'https://shop.example evil',
    'null',
    'data:,x',
  ])('refuses %p', (text) => {
    expect(parseTrustedOrigin(text)).toBeUndefined();
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.string({ unit: anyCharacter }), (text) => void parseTrustedOrigin(text)));
  });
});

describe('isAmong', () => {
  it('takes a subdomain pattern for what is below the name, at any depth, and for nothing else', () => {
    for (const origin of ['https://a.pay.example:8443', 'https://a.b.pay.example:8443']) {
      expect(isAmong(parseOrigin(origin)!, TRUSTED)).toBe(true);
    }
    const label = fc.stringMatching(/^[a-z0-9-]{1,10}$/);
    fc.assert(
      fc.property(label, label, (a, b) => {
        const origin = parseOrigin(`https://${a}.${b}.example:8443`);
        if (origin !== undefined) expect(isAmong(origin, TRUSTED)).toBe(b === 'pay');
      }),
    );
  });
});

describe('judgeOrigin', () => {
  it.each(FOREIGN)('refuses the origin %p, whatever else is said', (origin) => {
    for (const secFetchSite of [undefined, 'same-origin', 'none', 'same-site', 'cross-site', 'odd']) {
      for (const referer of [undefined, 'https://bank.example/']) {
        expect(judge({ origin, secFetchSite, referer })).toBe('untrusted_origin');
      }
    }
  });

  it('refuses an origin that is no text', () => {
    for (const origin of [['https://bank.example'], 1, null, {}]) expect(judge({ origin })).toBe('untrusted_origin');
  });

  it.each([
    // Origin, Sec-Fetch-Site, verdict
    [undefined, undefined, undefined],
    [undefined, 'same-origin', undefined],
    [undefined, 'none', undefined],
    [undefined, 'same-site', 'cross_site'],
    [undefined, 'cross-site', 'cross_site'],
    [undefined, 'future-value', undefined],
    [undefined, '', undefined],
    [undefined, 'Cross-Site', 'cross_site'],
    [undefined, 'SAME-SITE', 'cross_site'],
    ['https://bank.example', undefined, undefined],
    ['https://bank.example', 'same-origin', undefined],
    ['https://bank.example', 'none', undefined],
    ['https://bank.example', 'same-site', undefined],
    ['https://bank.example', 'cross-site', 'cross_site'],
    ['https://bank.example', 'future-value', undefined],
    ['https://shop.example', undefined, undefined],
    ['https://shop.example', 'same-site', undefined],
    ['https://shop.example', 'cross-site', undefined],
    ['https://a.pay.example:8443', 'cross-site', undefined],
    ['capacitor://localhost', 'cross-site', undefined],
  ])('answers Origin %p with Sec-Fetch-Site %p: %p', (origin, secFetchSite, verdict) => {
    expect(judge({ origin, secFetchSite })).toBe(verdict);
  });

  it('holds Referer to the rule of Origin where there is no Origin, and only there', () => {
    expect(judge({ referer: 'https://bank.example/form' })).toBeUndefined();
    expect(judge({ referer: 'https://shop.example/' })).toBeUndefined();
    expect(judge({ referer: '' })).toBeUndefined();
    for (const referer of ['https://evil.example/', 'https://bank.example.evil.example/', 'about:blank', 'x']) {
      expect(judge({ referer })).toBe('untrusted_origin');
    }
    expect(judge({ referer: 'https://bank.example/', secFetchSite: 'same-site' })).toBe('cross_site');
    expect(judge({ referer: 'https://shop.example/', secFetchSite: 'cross-site' })).toBe('cross_site');
    expect(judge({ referer: 'https://evil.example/', origin: 'https://bank.example' })).toBeUndefined();
  });

  it('trusts nobody where it does not know who it is', () => {
    expect(judgeOrigin(headers({ origin: 'https://bank.example' }), [], [])).toBe('untrusted_origin');
  });
});
