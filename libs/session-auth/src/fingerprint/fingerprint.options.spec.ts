import { describe, expect, it } from '@jest/globals';
import type { IncomingHttpHeaders } from 'node:http';
import { OptionReader } from '../options/option-reader.js';
import { resolveFingerprint, type FingerprintSignal } from './fingerprint.options.js';

const resolve = (fingerprint: unknown): readonly FingerprintSignal[] | undefined =>
  resolveFingerprint(OptionReader.root({ fingerprint }, ['fingerprint']));

/** Returns the compared text of a header, with these options. */
function read(options: unknown, value: string | string[] | undefined): string | undefined {
  const [signal] = resolve({ headers: [options] })!;
  const headers = { [signal!.name]: value } as IncomingHttpHeaders;
  return signal!.read({ headers, method: 'GET' });
}

describe('the fingerprint options', () => {
  it('are the three headers, of which another browser ends the session and the others are reported, or off', () => {
    const signal = (name: string, onMismatch: string, tag = name): object => ({
      name,
      tag,
      onMismatch,
      always: false,
      isPure: true,
      read: expect.any(Function),
    });
    for (const given of [undefined, {}]) {
      expect(resolve(given)).toEqual([
        signal('user-agent', 'destroy', 'user-agent:browser'),
        signal('accept-language', 'report'),
        signal('accept-encoding', 'report'),
      ]);
    }
    expect(resolve(false)).toBeUndefined();
    expect(resolve({ headers: [] })).toEqual([]);
  });

  it.each<[unknown, string[]]>([
    [undefined, ['destroy', 'report', 'destroy', 'destroy']],
    ['reject', ['reject', 'reject', 'reject', 'reject']],
    [{ 'Accept-Language': 'reject' }, ['destroy', 'reject', 'destroy', 'destroy']],
    [
      { 'user-agent': 'report', 'accept-language': 'destroy', custom: 'reject', 'x-device': 'report' },
      ['report', 'destroy', 'report', 'reject'],
    ],
  ])('give each signal its policy: %p', (onMismatch, policies) => {
    const headers = ['User-Agent', 'accept-language', { name: 'X-Device', always: true }];
    const signals = resolve({ headers, custom: () => 'own', onMismatch })!;
    expect(signals.map((signal) => signal.onMismatch)).toEqual(policies);
    expect(signals.map(({ name, always }) => [name, always])).toEqual([
      ['user-agent', false],
      ['accept-language', false],
      ['x-device', true],
      ['custom', true],
    ]);
    expect(signals[3]!.read({ headers: {}, method: 'GET' })).toBe('own');
  });

  it('compare a header exactly, several lines of it joined, and its absence as a value of its own', () => {
    expect(read('x', 'a 1')).toBe('is a 1');
    expect(read('x', ['a', 'b'])).toBe('is a,b');
    expect(read('x', undefined)).toBe('absent');
    expect(read('x', 'absent')).toBe('is absent');
  });

  it('look for a browser at the beginning of a User-Agent, as far as browsers write one', () => {
    const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0';
    expect(read('user-agent', firefox)).toBe('is Firefox on Linux');
    expect(read('user-agent', `${firefox} ${'x'.repeat(512)} OPR/114.0`)).toBe('is Firefox on Linux');
    expect(read('user-agent', `${'x'.repeat(512)} ${firefox}`)).toContain('Firefox/#');
  });

  it('compare without versions, where told so', () => {
    const ignore = { name: 'user-agent', compare: 'ignore-versions' };
    const chrome = (version: string): string =>
      `Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/${version} Safari/537.36`;
    expect(read(ignore, chrome('130.0.6723.92'))).toBe(read(ignore, chrome('131.0.0.0')));
    expect(read(ignore, chrome('131'))).toBe(read(ignore, chrome('131_1.2')));
    expect(read(ignore, 'a1.b')).toBe('is a#.b');
    expect(read(ignore, chrome('131').replace('Windows', 'Linux'))).not.toBe(read(ignore, chrome('131')));
  });

  it('compare browser family and platform of the User-Agent, and the text of what is no browser', () => {
    const chrome = (version: string, system = 'Windows NT 10.0; Win64; x64'): string =>
      `Mozilla/5.0 (${system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${version} Safari/537.36`;
    expect(read('user-agent', chrome('134.0.0.0'))).toBe('is Chrome on Windows');
    expect(read('user-agent', chrome('135.0.7049.42'))).toBe('is Chrome on Windows');
    expect(read('user-agent', chrome('135.0', 'X11; Linux x86_64'))).toBe('is Chrome on Linux');
    expect(read('user-agent', `${chrome('135.0')} Edg/135.0.0.0`)).toBe('is Microsoft Edge on Windows');
    expect(read('user-agent', 'bank-app/1.2 (build 7)')).toBe('is bank-app/# (build #)');
    expect(read('user-agent', 'Mozilla/5.0 (somebody)')).not.toBe(read('user-agent', 'Mozilla/5.0 (somebody else)'));
    expect(read('user-agent', ' ')).toBe('is  ');
    expect(read('user-agent', undefined)).toBe('absent');
    expect(read({ name: 'user-agent', compare: 'exact' }, chrome('134'))).toBe(`is ${chrome('134')}`);
  });

  it('tell a signal from the same one that is compared in another way', () => {
    const tags = ['exact', 'ignore-versions', 'browser', String].map(
      (compare) => resolve({ headers: [{ name: 'user-agent', compare }] })![0]!.tag,
    );
    expect(tags).toEqual(['user-agent', 'user-agent:ignore-versions', 'user-agent:browser', 'user-agent:function']);
  });

  it('compare what a function makes of the header', () => {
    const first = { name: 'accept-language', compare: (value: string) => value.slice(0, 2) };
    expect(read(first, 'de-AT,de;q=0.9')).toBe('is de');
    expect(read(first, undefined)).toBe('absent');
  });

  it('leave codings out of Accept-Encoding that need a dictionary, and of no other header', () => {
    expect(read('Accept-Encoding', 'gzip, br, dcb,DCZ, sdch ,zstd')).toBe('is gzip, br, zstd');
    expect(read('accept-encoding', 'gzip,  BR')).toBe('is gzip, br');
    expect(read('x-encoding', 'gzip, dcb')).toBe('is gzip, dcb');
  });

  it.each<[unknown, RegExp]>([
    [true, /fingerprint: given a boolean; allowed is an object with any of headers, custom, onMismatch/],
    [{ header: [] }, /fingerprint\.header: given an unknown option/],
    [{ onMismatch: 'end' }, /fingerprint\.onMismatch: given 'end'; allowed is 'destroy', 'reject', 'report'/],
    [{ headers: 'user-agent' }, /fingerprint\.headers: given 'user-agent'; allowed is an array of header names/],
    [{ headers: [5] }, /fingerprint\.headers\[0\]: given a number; allowed is an object with any of name, compare/],
    [{ headers: ['a', {}] }, /fingerprint\.headers\[1\]\.name: given nothing; allowed is a header's name/],
    [{ headers: ['a b'] }, /headers\[0\]\.name: given 'a b'/],
    [{ headers: ['a\n'] }, /headers\[0\]\.name: given 'a/],
    [{ headers: [`x${'x'.repeat(100)}`] }, /headers\[0\]\.name/],
    [{ headers: ['Custom'] }, /headers\[0\]\.name: given 'Custom'/],
    [{ headers: [{ name: 'a', compare: 'loose' }] }, /headers\[0\]\.compare: given 'loose'; allowed is 'exact'/],
    [{ headers: [{ name: 'a', compare: 'browser' }] }, /headers\[0\]\.compare: given 'browser'/],
    [{ headers: [{ name: 'a', onMismatch: 'report' }] }, /headers\[0\]\.onMismatch: given an unknown option/],
    [{ onMismatch: { 'user-agent': 'end' } }, /fingerprint\.onMismatch\.user-agent: given 'end'; allowed is 'destroy'/],
    [{ onMismatch: { cookie: 'report' } }, /fingerprint\.onMismatch\.cookie: given an unknown option/],
    [{ onMismatch: { custom: 'report' } }, /fingerprint\.onMismatch\.custom: given an unknown option/],
    [{ onMismatch: null }, /fingerprint\.onMismatch: given null/],
    [{ onMismatch: ['report'] }, /fingerprint\.onMismatch: given an array of 1/],
    [{ onMismatch: 5 }, /fingerprint\.onMismatch: given 5/],
    [{ headers: [{ name: 'a', always: 'yes' }] }, /headers\[0\]\.always: given 'yes'; allowed is true or false/],
    [{ headers: [{ name: 'a', only: true }] }, /headers\[0\]\.only: given an unknown option/],
    [{ headers: ['A', 'a'] }, /fingerprint\.headers: given a header twice; allowed is different headers/],
    [{ custom: {} }, /fingerprint\.custom: given an object; allowed is a function/],
    [{ custom: 'ip' }, /fingerprint\.custom: given 'ip'/],
  ])('refuse %p', (given, message) => {
    expect(() => resolve(given)).toThrow(message);
  });
});
