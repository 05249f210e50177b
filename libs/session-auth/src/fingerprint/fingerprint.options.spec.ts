import { describe, expect, it } from '@jest/globals';
import type { IncomingHttpHeaders } from 'node:http';
import { OptionReader } from '../options/option-reader.js';
import { resolveFingerprint, type FingerprintSignal } from './fingerprint.options.js';

const resolve = (fingerprint: unknown): readonly FingerprintSignal[] | undefined =>
  resolveFingerprint(OptionReader.root({ fingerprint }, ['fingerprint']));

/** What is compared of a header, by the options of it. */
function read(options: unknown, value: string | string[] | undefined): string | undefined {
  const [signal] = resolve({ headers: [options] })!;
  const headers = { [signal!.name]: value } as IncomingHttpHeaders;
  return signal!.read({ headers, method: 'GET' });
}

describe('the fingerprint options', () => {
  it('are the three headers that end the session, or off', () => {
    const names = ['user-agent', 'accept-language', 'accept-encoding'];
    for (const given of [undefined, {}]) {
      const shape = names.map((name) => ({
        name,
        onMismatch: 'destroy',
        always: false,
        isPure: true,
        read: expect.any(Function),
      }));
      expect(resolve(given)).toEqual(shape);
    }
    expect(resolve(false)).toBeUndefined();
    expect(resolve({ headers: [] })).toEqual([]);
  });

  it('give each signal its own policy, or that of the whole', () => {
    const signals = resolve({
      headers: ['User-Agent', { name: 'X-Device', onMismatch: 'report', always: true }],
      custom: { read: () => 'x', onMismatch: 'destroy' },
      onMismatch: 'reject',
    });
    expect(signals?.map(({ name, onMismatch, always }) => [name, onMismatch, always])).toEqual([
      ['user-agent', 'reject', false],
      ['x-device', 'report', true],
      ['custom', 'destroy', true],
    ]);
    const [, short] = resolve({ headers: ['a'], custom: () => 'own', onMismatch: 'report' })!;
    expect(short).toMatchObject({ name: 'custom', onMismatch: 'report', always: true });
    expect(short!.read({ headers: {}, method: 'GET' })).toBe('own');
  });

  it('compare a header exactly, several lines of it joined, and its absence as a value of its own', () => {
    expect(read('x', 'a 1')).toBe('is a 1');
    expect(read('x', ['a', 'b'])).toBe('is a,b');
    expect(read('x', undefined)).toBe('absent');
    expect(read('x', 'absent')).toBe('is absent');
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
    [{ headers: [{ name: 'a', onMismatch: 1 }] }, /headers\[0\]\.onMismatch: given 1/],
    [{ headers: [{ name: 'a', always: 'yes' }] }, /headers\[0\]\.always: given 'yes'; allowed is true or false/],
    [{ headers: [{ name: 'a', only: true }] }, /headers\[0\]\.only: given an unknown option/],
    [{ headers: ['A', 'a'] }, /fingerprint\.headers: given one of them twice; allowed is each header once/],
    [{ custom: {} }, /fingerprint\.custom\.read: given nothing; allowed is a function/],
    [{ custom: 'ip' }, /fingerprint\.custom: given a string/],
    [{ custom: { read: () => '', onMismatch: 'no' } }, /fingerprint\.custom\.onMismatch: given 'no'/],
    [{ custom: { read: () => '', always: true } }, /fingerprint\.custom\.always: given an unknown option/],
  ])('refuse %p', (given, message) => {
    expect(() => resolve(given)).toThrow(message);
  });
});
