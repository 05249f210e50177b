import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MAX_DATA_DEPTH, sessionDataBytes, toSessionData } from './session-data.js';

const INVALID = expect.objectContaining({ code: 'invalid_session_data', statusCode: 400 }) as object;

describe('toSessionData', () => {
  it('answers what JSON makes of the values', () => {
    const at = new Date(0);
    expect(
      toSessionData({
        at,
        count: 1,
        none: null,
        nested: { keep: true, drop: undefined },
        list: [1, undefined, 'x'],
        price: { toJSON: () => '1.00 EUR' },
        nan: Number.NaN,
      }),
    ).toEqual({
      at: '1970-01-01T00:00:00.000Z',
      count: 1,
      none: null,
      nested: { keep: true },
      list: [1, null, 'x'],
      price: '1.00 EUR',
      nan: null,
    });
  });

  it('keeps a top-level undefined, which removes the key', () => {
    expect(Object.entries(toSessionData({ theme: undefined }))).toEqual([['theme', undefined]]);
  });

  it('takes instances of classes and objects without prototype', () => {
    class Preferences {
      theme = 'dark';
    }
    expect(toSessionData(new Preferences())).toEqual({ theme: 'dark' });
    expect(toSessionData(Object.assign(Object.create(null) as object, { theme: 'dark' }))).toEqual({ theme: 'dark' });
  });

  it('copies: later changes of the patch change nothing', () => {
    const cart = { items: ['book'] };
    const data = toSessionData({ cart });
    cart.items.push('pen');
    expect(data).toEqual({ cart: { items: ['book'] } });
  });

  it.each([
    ['lists', (inner: unknown) => [inner]],
    ['objects', (inner: unknown) => ({ a: inner })],
    ['both', (inner: unknown) => [{ a: inner, b: '\\"]}' }]],
  ])('takes %s nested to a fixed depth, whatever stack is left', (what, wrap) => {
    const nested = (levels: number): unknown => {
      let value: unknown = what;
      for (let level = 0; level < levels; level += what === 'both' ? 2 : 1) value = wrap(value);
      return value;
    };
    expect(toSessionData({ deep: nested(MAX_DATA_DEPTH) })).toEqual({ deep: nested(MAX_DATA_DEPTH) });
    for (const levels of [MAX_DATA_DEPTH + 2, 2000, 5000, 100_000]) {
      expect(() => toSessionData({ deep: nested(levels) })).toThrow(INVALID);
    }
  });

  it('counts levels, not brackets: of texts and of neighbours there may be any number', () => {
    const wide = {
      text: '[{'.repeat(2000),
      quoted: '\\"[{'.repeat(2000),
      lists: Array.from({ length: 2000 }, () => [[]]),
      objects: Array.from({ length: 2000 }, () => ({ a: {} })),
    };
    expect(toSessionData({ wide })).toEqual({ wide });
  });

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a text', 'theme=dark'],
    ['a number', 1],
    ['a list', [1]],
    ['a map, whose content is not in its keys', new Map([['theme', 'dark']])],
    ['a set', new Set(['dark'])],
    ['a function', () => ({})],
  ])('refuses %s as a patch', (_what, patch) => {
    expect(() => toSessionData(patch)).toThrow(INVALID);
  });

  it.each([
    ['a function', () => 1],
    ['a symbol', Symbol('secret-value')],
    ['a big integer', 10n],
    ['what toJSON makes nothing of', { toJSON: () => undefined }],
  ])('refuses %s as a value and names the key, not the value', (_what, value) => {
    expect(() => toSessionData({ theme: value })).toThrow(INVALID);
    expect(() => toSessionData({ theme: value })).toThrow(/"theme"/);
    expect(() => toSessionData({ theme: value })).not.toThrow(/secret-value/);
  });

  it('refuses a circle', () => {
    const circle: Record<string, unknown> = {};
    circle['self'] = { circle };
    expect(() => toSessionData(circle)).toThrow(INVALID);
    expect(() => toSessionData(circle)).toThrow(expect.objectContaining({ cause: expect.any(TypeError) }));
  });

  it.each<[string, unknown]>([
    ['session data must be an object of keys and values', [1]],
    ['session data cannot have the key __proto__', JSON.parse('{ "__proto__": 1 }') as unknown],
    ['session data "price" cannot be turned into JSON', { price: 10n }],
    ['session data "price" is a function, which JSON cannot carry', { price: () => 1 }],
    [
      'session data "list" is nested deeper than 500 levels',
      { list: JSON.parse('['.repeat(501) + ']'.repeat(501)) as unknown },
    ],
  ])('says what is wrong: %s', (message, patch) => {
    expect(() => toSessionData(patch)).toThrow(message);
  });

  it('refuses the key __proto__ and pollutes nothing', () => {
    const patch: unknown = JSON.parse('{ "__proto__": { "admin": true } }');
    expect(() => toSessionData(patch)).toThrow(INVALID);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  it('changes nothing that came from JSON', () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.string().filter((key) => key !== '__proto__'),
          fc.jsonValue(),
        ),
        (patch) => {
          const plain = JSON.parse(JSON.stringify(patch)) as Record<string, unknown>;
          expect(toSessionData(plain)).toEqual(plain);
          expect(toSessionData(toSessionData(plain))).toEqual(plain);
        },
      ),
    );
  });
});

describe('sessionDataBytes', () => {
  it('is 0 for nothing, and counts bytes of UTF-8, not characters', () => {
    expect(sessionDataBytes({})).toBe(0);
    expect(sessionDataBytes({ a: 1 })).toBe('"a":1'.length);
    expect(sessionDataBytes({ é: 'ü' })).toBe(9);
  });

  it('is what JSON takes without braces and commas', () => {
    const key = fc.string().filter((text) => text !== '__proto__');
    fc.assert(
      fc.property(fc.dictionary(key, fc.jsonValue(), { minKeys: 1 }), (data) => {
        const bracesAndCommas = 2 + Object.keys(data).length - 1;
        expect(sessionDataBytes(data)).toBe(Buffer.byteLength(JSON.stringify(data)) - bracesAndCommas);
      }),
    );
  });
});
