import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MAX_DATA_DEPTH, sessionDataBytes, toSessionData } from './session-data.js';

const INVALID = expect.objectContaining({ code: 'invalid_session_data', statusCode: 400 }) as object;

class Preferences {
  constructor(readonly theme: unknown) {}

  isDark(): boolean {
    return this.theme === 'dark';
  }
}

class Money {
  readonly #amount: number;

  constructor(amount: number) {
    this.#amount = amount;
  }

  double(): number {
    return this.#amount * 2;
  }
}

class Price {
  readonly currency = 'EUR';
  readonly #amount: number;

  constructor(amount: number) {
    this.#amount = amount;
  }

  get amount(): number {
    return this.#amount;
  }
}

describe('toSessionData', () => {
  it('answers what JSON makes of the values', () => {
    expect(
      toSessionData({
        count: 1,
        zero: -0,
        none: null,
        nested: { keep: true, drop: undefined },
        list: [1, null, 'x', [], {}],
        price: { toJSON: () => '1.00 EUR' },
        link: new URL('https://example.com/'),
      }),
    ).toEqual({
      count: 1,
      zero: 0,
      none: null,
      nested: { keep: true },
      list: [1, null, 'x', [], {}],
      price: '1.00 EUR',
      link: 'https://example.com/',
    });
  });

  it('keeps a top-level undefined, which removes the key', () => {
    expect(Object.entries(toSessionData({ theme: undefined }))).toEqual([['theme', undefined]]);
  });

  it('takes instances of classes and objects without prototype', () => {
    expect(toSessionData(new Preferences('dark'))).toEqual({ theme: 'dark' });
    expect(toSessionData({ a: [new Preferences('dark')] })).toEqual({ a: [{ theme: 'dark' }] });
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
    ['a date', new Date(0)],
    ['a promise', Promise.resolve({ theme: 'dark' })],
    ['an instance of private fields', new Money(5)],
  ])('refuses %s as a patch', (_what, patch) => {
    expect(() => toSessionData(patch)).toThrow(INVALID);
  });

  it.each<[string, unknown]>([
    ['a function', () => 1],
    ['a symbol', Symbol('secret-value')],
    ['a big integer', 10n],
    ['what toJSON makes nothing of', { toJSON: () => undefined }],
    ['what toJSON makes a map of', { toJSON: () => new Map() }],
    ['no number', NaN],
    ['an infinity', -Infinity],
    ['a date', new Date(0)],
    ['a date that is none', new Date(NaN)],
    ['a map', new Map([['secret-value', 1]])],
    ['a set', new Set(['secret-value'])],
    ['an error', new Error('secret-value')],
    ['a pattern', /secret-value/],
    ['a boxed number', Object(1)],
    ['bytes', new Uint8Array([1])],
    ['a buffer of bytes', new ArrayBuffer(1)],
    ['a promise', Promise.resolve('secret-value')],
    ['parameters', new URLSearchParams('a=secret-value')],
    ['a list with a hole', [undefined]],
    ['a match, whose groups are no items', /(?<name>a)/.exec('a')],
    ['an object with a symbol', { [Symbol('secret-value')]: 1 }],
    ['an object with a hidden property', Object.defineProperty({}, 'secret', { value: 'secret-value' })],
    ['an instance of private fields', new Money(5)],
    ['an instance with a getter', new Price(5)],
    ['an instance of a class that has one', new (class extends Price {})(5)],
  ])('refuses %s as a value and at any depth, and names the key, not the value', (_what, value) => {
    for (const inside of [value, { a: value }, [value], [[{ a: [{ b: value }] }]], new Preferences(value)]) {
      expect(() => toSessionData({ theme: inside })).toThrow(INVALID);
      expect(() => toSessionData({ theme: inside })).toThrow(/"theme"/);
      expect(() => toSessionData({ theme: inside })).not.toThrow(/secret-value/);
    }
  });

  it('refuses a big integer also where somebody has taught JSON to write them', () => {
    const prototype = BigInt.prototype as { toJSON?: () => string };
    prototype.toJSON = () => '10';
    try {
      expect(() => toSessionData({ price: { a: 10n } })).toThrow(INVALID);
    } finally {
      delete prototype.toJSON;
    }
  });

  it('advises what to keep of a date', () => {
    expect(() => toSessionData({ seen: { realm: 'default', at: new Date(0) } })).toThrow(
      'session data "seen" holds a Date, which would come back as text: keep date.getTime() or date.toISOString(); ' +
        'it is under "at"',
    );
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
    ['session data "price" holds a bigint, which JSON cannot carry: keep its text', { price: 10n }],
    ['session data "price" holds a function, which JSON cannot carry', { price: () => 1 }],
    ['session data "price" holds NaN, which JSON cannot carry; it is under "1"', { price: [1, NaN] }],
    ['session data must be an object of keys and values: given a Map, whose content JSON cannot carry', new Map()],
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
