import { describe, expect, it } from '@jest/globals';
import type { IncomingHttpHeaders } from 'node:http';
import fc from 'fast-check';
import { anyCharacter } from '../../test/any-character.js';
import { KeyRing } from '../crypto/key-ring.js';
import type { FingerprintPolicy, FingerprintRequest, FingerprintSignal } from './fingerprint.options.js';
import { Fingerprint, type FingerprintMismatch } from './fingerprint.js';

const NEW = 'the new secret, long enough to be one';
const OLD = 'the old secret, long enough to be one';
const CHROME: IncomingHttpHeaders = {
  'user-agent': 'Chrome/130',
  'accept-language': 'de',
  'accept-encoding': 'gzip, br',
};

const signalOf = (name: string, changes: Partial<FingerprintSignal> = {}): FingerprintSignal => ({
  name,
  tag: name,
  onMismatch: 'destroy',
  always: false,
  isPure: true,
  read: ({ headers }) => headers[name] as string | undefined,
  ...changes,
});

const DEFAULTS = ['user-agent', 'accept-language', 'accept-encoding'].map((name) => signalOf(name));

const make = (signals: readonly FingerprintSignal[] = DEFAULTS, secrets: readonly string[] = [NEW]): Fingerprint =>
  new Fingerprint(new KeyRing(secrets), signals);

const ask = (headers: IncomingHttpHeaders = CHROME, method = 'GET'): FingerprintRequest => ({ headers, method });

/** Returns the verdict on a client that logged in as Chrome and now sends these headers. */
const compare = (headers: IncomingHttpHeaders, method = 'GET'): FingerprintMismatch | undefined => {
  const fingerprint = make();
  return fingerprint.compare(fingerprint.of(ask()), ask({ ...CHROME, ...headers }, method));
};

describe('what is stored of a client', () => {
  it('is a row of keyed digests, one a signal, which tells nothing of the values', () => {
    const stored = make().of(ask());
    expect(stored).toMatch(/^[\w-]{60}$/);
    expect(make().of(ask())).toBe(stored);
    const chunks = [0, 20, 40].map((at) => stored.slice(at, at + 20));
    expect(new Set(chunks.map((chunk) => chunk.slice(0, 4))).size).toBe(3);
    expect(new Set(chunks.map((chunk) => chunk.slice(4))).size).toBe(3);
  });

  it('is another for each signal though the values are alike, and under each key', () => {
    const same = { 'user-agent': 'x', 'accept-language': 'x', 'accept-encoding': 'x' };
    const stored = make().of(ask(same));
    expect(new Set([4, 24, 44].map((at) => stored.slice(at, at + 16))).size).toBe(3);
    const other = make(DEFAULTS, [OLD]).of(ask(same));
    for (const at of [0, 4, 20, 24, 40, 44]) expect(other.slice(at, at + 4)).not.toBe(stored.slice(at, at + 4));
  });

  it('has no digest of what is not known', () => {
    expect(make().of(ask({ 'user-agent': 'x' }))).toHaveLength(20);
    expect(make().of(ask({}))).toBe('');
    expect(make([]).of(ask())).toBe('');
  });

  it('has none of a signal that is said not to be known', () => {
    const stored = make().of(ask(), (signal) => signal !== 'accept-language');
    expect(stored).toBe(make().of(ask()).slice(0, 20) + make().of(ask()).slice(40));
    expect(make().of(ask(), () => false)).toBe('');
  });

  it('has none of a signal that the login’s request was spared of', () => {
    expect(make().of(ask({ ...CHROME, range: 'bytes=0-' }))).toHaveLength(40);
    expect(make().of(ask({ ...CHROME, range: 'bytes=0-' }, 'POST'))).toHaveLength(60);
  });
});

describe('the comparison', () => {
  it('finds nothing for the same client', () => {
    expect(compare({})).toBeUndefined();
  });

  it('names the signals that differ, and no other', () => {
    expect(compare({ 'user-agent': 'Firefox' })).toEqual({ signals: ['user-agent'], action: 'destroy' });
    expect(compare({ 'accept-language': 'en', 'accept-encoding': 'zstd' })).toEqual({
      signals: ['accept-language', 'accept-encoding'],
      action: 'destroy',
    });
  });

  it('is of whole values: none is taken for another, nor for that of another signal', () => {
    const value = fc.string({ maxLength: 30 });
    fc.assert(
      fc.property(value, value, (left, right) => {
        const fingerprint = make([signalOf('user-agent')]);
        const stored = fingerprint.of(ask({ 'user-agent': left }));
        expect(fingerprint.compare(stored, ask({ 'user-agent': right })) === undefined).toBe(left === right);
      }),
    );
    const swapped = make();
    const stored = swapped.of(ask());
    const exchanged = stored.slice(20, 40) + stored.slice(0, 20) + stored.slice(40);
    expect(swapped.compare(exchanged, ask())).toBeUndefined();
    const mixed = stored.slice(0, 4) + stored.slice(24, 40) + stored.slice(20);
    expect(swapped.compare(mixed, ask())).toEqual({ signals: ['user-agent'], action: 'destroy' });
  });

  it('is none of what one of the two sides does not know', () => {
    const fingerprint = make();
    expect(fingerprint.compare(fingerprint.of(ask({ 'user-agent': 'Chrome/130' })), ask())).toBeUndefined();
    expect(fingerprint.compare(fingerprint.of(ask()), ask({}))).toBeUndefined();
    expect(fingerprint.compare('', ask())).toBeUndefined();
  });

  it('takes a cut or foreign text for nothing known: never a throw', () => {
    const fingerprint = make();
    const stored = fingerprint.of(ask());
    const other = ask({ 'user-agent': 'Firefox', 'accept-language': 'en', 'accept-encoding': 'zstd' });
    expect(fingerprint.compare(stored.slice(0, 19), other)).toBeUndefined();
    expect(fingerprint.compare(stored.slice(0, 39), other)?.signals).toEqual(['user-agent']);
    // the same number of characters, but more bytes
    expect(fingerprint.compare(`\u00e9${stored.slice(1)}`, ask())).toBeUndefined();
    expect(fingerprint.compare(`${stored.slice(0, 19)}\u00e9${stored.slice(20)}`, ask())?.signals).toEqual([
      'user-agent',
    ]);
    // a shifted text names no signal
    expect(fingerprint.compare(`x${stored}`, other)).toBeUndefined();
    fc.assert(
      fc.property(fc.string({ unit: anyCharacter, maxLength: 80 }), (text) => {
        expect(fingerprint.compare(text, other)).toBeUndefined();
      }),
    );
  });

  it('is made under every key of the ring; where the key is gone, nothing is known', () => {
    const stored = make(DEFAULTS, [OLD]).of(ask());
    const both = make(DEFAULTS, [NEW, OLD]);
    expect(both.compare(stored, ask())).toBeUndefined();
    expect(both.compare(stored, ask({ ...CHROME, 'user-agent': 'Firefox' }))?.signals).toEqual(['user-agent']);
    expect(make().compare(stored, ask({ ...CHROME, 'user-agent': 'Firefox' }))).toBeUndefined();
    expect(both.of(ask())).toBe(make().of(ask()));
  });

  it.each<[FingerprintPolicy, FingerprintPolicy, FingerprintPolicy]>([
    ['report', 'report', 'report'],
    ['report', 'reject', 'reject'],
    ['reject', 'report', 'reject'],
    ['destroy', 'report', 'destroy'],
    ['reject', 'destroy', 'destroy'],
  ])('takes the strictest: %s and %s make %s', (first, second, action) => {
    const signals = [signalOf('a', { onMismatch: first }), signalOf('b', { onMismatch: second })];
    const fingerprint = make(signals);
    const stored = fingerprint.of(ask({ a: '1', b: '1' }));
    expect(fingerprint.compare(stored, ask({ a: '2', b: '2' }))).toEqual({ signals: ['a', 'b'], action });
    expect(fingerprint.compare(stored, ask({ a: '2', b: '1' }))?.action).toBe(first);
  });
});

describe('a request in which browsers send other values', () => {
  const ODD = { 'accept-language': 'xx', 'accept-encoding': 'identity;q=1, *;q=0' };

  it.each<[string, IncomingHttpHeaders, readonly string[]]>([
    ['a range', { range: 'bytes=0-' }, ['accept-language']],
    ['a WebSocket handshake', { upgrade: 'WebSocket' }, ['accept-language']],
    ['audio', { 'sec-fetch-dest': 'audio' }, ['accept-language']],
    ['video', { 'sec-fetch-dest': 'video' }, ['accept-language']],
    ['a subtitle track', { 'sec-fetch-dest': 'track' }, ['accept-language']],
    ['a service worker’s script', { 'sec-fetch-dest': 'serviceworker' }, []],
    ['a manifest', { 'sec-fetch-dest': 'manifest' }, []],
    ['a federated login', { 'sec-fetch-dest': 'webidentity' }, []],
    ['another upgrade', { upgrade: 'h2c' }, ['accept-language', 'accept-encoding']],
    ['a document', { 'sec-fetch-dest': 'document' }, ['accept-language', 'accept-encoding']],
    ['an image', { 'sec-fetch-dest': 'image' }, ['accept-language', 'accept-encoding']],
    ['nothing of the kind', {}, ['accept-language', 'accept-encoding']],
  ])('by %s is spared just those', (_what, headers, compared) => {
    for (const method of ['GET', 'HEAD']) {
      const found = compare({ ...ODD, ...headers, 'user-agent': 'Firefox' }, method);
      expect(found?.signals).toEqual(['user-agent', ...compared]);
    }
    for (const method of ['POST', 'get', 'OPTIONS', 'QUERY']) {
      const found = compare({ ...ODD, ...headers }, method);
      expect(found?.signals).toEqual(['accept-language', 'accept-encoding']);
    }
  });

  it('is spared nothing by a header sent several times', () => {
    const twice = { 'sec-fetch-dest': ['serviceworker', 'serviceworker'] } as unknown as IncomingHttpHeaders;
    expect(compare({ ...ODD, ...twice })?.signals).toEqual(['accept-language', 'accept-encoding']);
    const media = { 'sec-fetch-dest': ['video'] } as unknown as IncomingHttpHeaders;
    expect(compare({ ...ODD, ...media })?.signals).toEqual(['accept-language', 'accept-encoding']);
  });

  it('is spared nothing of a signal that is always compared, nor of one of the application’s own', () => {
    const signals = [signalOf('accept-encoding', { always: true }), signalOf('x-device')];
    const fingerprint = make(signals);
    const stored = fingerprint.of(ask({ 'accept-encoding': 'br', 'x-device': '1' }));
    const odd = { 'accept-encoding': 'gzip', 'x-device': '2', range: 'bytes=0-', 'sec-fetch-dest': 'manifest' };
    expect(fingerprint.compare(stored, ask(odd))?.signals).toEqual(['accept-encoding', 'x-device']);
  });
});

describe('a mismatch that may be an honest client’s', () => {
  const actionOf = (
    name: string,
    headers: IncomingHttpHeaders,
    changes: Partial<FingerprintSignal> = {},
  ): FingerprintPolicy | undefined => {
    const fingerprint = make([signalOf(name, changes)]);
    return fingerprint.compare(fingerprint.of(ask()), ask({ ...CHROME, ...headers }))?.action;
  };
  const script = { 'accept-language': 'en', 'sec-fetch-dest': 'empty' };
  const player = { 'user-agent': 'AppleCoreMedia/1.0' };

  it('is refused and ends nothing: a script’s language, Apple’s media player', () => {
    expect(actionOf('accept-language', script)).toBe('reject');
    expect(actionOf('user-agent', player)).toBe('reject');
  });

  it('does end the session in any other request, and for any other signal', () => {
    expect(actionOf('accept-language', { ...script, 'sec-fetch-dest': 'document' })).toBe('destroy');
    expect(actionOf('accept-language', { 'accept-language': 'en' })).toBe('destroy');
    expect(actionOf('accept-encoding', { 'accept-encoding': 'x', 'sec-fetch-dest': 'empty' })).toBe('destroy');
    expect(actionOf('accept-language', { ...player, 'accept-language': 'en' })).toBe('destroy');
    expect(actionOf('user-agent', { 'user-agent': 'Mozilla AppleCoreMedia/1.0' })).toBe('destroy');
    expect(actionOf('user-agent', { 'user-agent': 'Firefox', 'sec-fetch-dest': 'empty' })).toBe('destroy');
    expect(actionOf('user-agent', { 'user-agent': undefined }, { read: () => String(Math.random()) })).toBe('destroy');
  });

  it('keeps the policy of who asked for another, or to compare always', () => {
    for (const policy of ['reject', 'report'] as const) {
      expect(actionOf('user-agent', player, { onMismatch: policy })).toBe(policy);
      expect(actionOf('accept-language', { 'accept-language': 'en' }, { onMismatch: policy })).toBe(policy);
    }
    expect(actionOf('user-agent', player, { always: true })).toBe('destroy');
    expect(actionOf('accept-language', script, { always: true })).toBe('destroy');
  });
});

describe('a mismatch that is only reported', () => {
  const report = { signals: ['accept-encoding'], action: 'report' } as const;

  it('is told once a session and set of signals, and any other each time', () => {
    const fingerprint = make();
    expect([fingerprint.isNews('one', report), fingerprint.isNews('one', report)]).toEqual([true, false]);
    expect(fingerprint.isNews('two', report)).toBe(true);
    expect(fingerprint.isNews('one', { ...report, signals: ['accept-language'] })).toBe(true);
    for (const action of ['reject', 'destroy'] as const) {
      for (let time = 0; time < 2; time += 1) expect(fingerprint.isNews('one', { ...report, action })).toBe(true);
    }
  });
});

describe('a signal that is compared in another way than at login', () => {
  it('is not compared: a change of options signs nobody out', () => {
    const stored = make([signalOf('user-agent')]).of(ask());
    const other = make([signalOf('user-agent', { tag: 'user-agent:browser' })]);
    expect(other.compare(stored, ask({ 'user-agent': 'another' }))).toBeUndefined();
  });
});
