import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { kindOf, OptionReader } from './option-reader.js';

const KNOWN = ['name', 'flag', 'choice', 'count', 'wait', 'nested'];
const read = (options: unknown): OptionReader => OptionReader.root(options, KNOWN);
const refusal = (message: string): object => expect.objectContaining({ code: 'invalid_configuration', message });

describe('OptionReader', () => {
  it.each([
    ['nothing', undefined],
    ['null', null],
    ['an array of 1', [1]],
    ['a string', 'a secret in the wrong place'],
    ['a number', 5],
    ['a function', () => ({})],
  ])('refuses %s as options, without the value', (given, options) => {
    expect(() => read(options)).toThrow(
      refusal(`SessionAuthModule: options: given ${given}; allowed is an object with any of ${KNOWN.join(', ')}`),
    );
  });

  it('refuses an unknown key with its path, at any level, without its value', () => {
    const allowed = 'given an unknown option; allowed is one of the options';
    expect(() => read({ nmae: 'a secret' })).toThrow(
      refusal(`SessionAuthModule: nmae: ${allowed} ${KNOWN.join(', ')}`),
    );
    expect(() => read({ nested: { deep: 'a secret' } }).slice('nested', ['inner'])).toThrow(
      refusal(`SessionAuthModule: nested.deep: ${allowed} inner`),
    );
    expect(() => read({ ['__proto__x']: 1 })).toThrow(/__proto__x/);
  });

  it('names the path through every level', () => {
    const inner = read({ nested: { inner: { count: 'x' } } })
      .slice('nested', ['inner'])
      .slice('inner', ['count']);
    expect(() => inner.integer('count', 1, 0, 9)).toThrow(
      refusal(`SessionAuthModule: nested.inner.count: given 'x'; allowed is a whole number from 0 to 9`),
    );
    expect(() => read({ nested: 'x' }).slice('nested', ['inner'])).toThrow(
      refusal('SessionAuthModule: nested: given a string; allowed is an object with any of inner'),
    );
  });

  it('takes undefined for not given, and null for a mistake', () => {
    const absent = read({ flag: undefined, nested: undefined });
    expect(absent.get('flag', 'fallback')).toBe('fallback');
    expect(absent.text('name')).toBeUndefined();
    expect(absent.flag('flag', true)).toBe(true);
    expect(absent.oneOf('choice', ['a', 'b'], 'b')).toBe('b');
    expect(absent.integer('count', 7, 1, 9)).toBe(7);
    expect(absent.duration('wait', 7, { least: 1 })).toBe(7);
    expect(absent.slice('nested', []).get('anything')).toBeUndefined();

    const wrong = read({ name: null, flag: null, choice: null, count: null, wait: null, nested: null });
    expect(() => wrong.text('name')).toThrow(/name: given null/);
    expect(() => wrong.flag('flag', true)).toThrow(/flag: given null/);
    expect(() => wrong.oneOf('choice', ['a'], 'a')).toThrow(/choice: given null/);
    expect(() => wrong.integer('count', 7, 1, 9)).toThrow(/count: given null/);
    expect(() => wrong.duration('wait', 7, { least: 1 })).toThrow(/wait: given null/);
    expect(() => wrong.slice('nested', [])).toThrow(/nested: given null/);
  });

  it('reads what is given', () => {
    const given = read({ name: 'x', flag: false, choice: 'a', count: 0, wait: '1s', nested: { inner: 1 } });
    expect(given.text('name')).toBe('x');
    expect(given.flag('flag', true)).toBe(false);
    expect(given.oneOf('choice', ['a', 'b'], 'b')).toBe('a');
    expect(given.integer('count', 7, 0, 9)).toBe(0);
    expect(given.duration('wait', 7, { least: 0 })).toBe(1000);
    expect(given.slice('nested', ['inner']).get('inner')).toBe(1);
  });

  it.each<[string, unknown, (reader: OptionReader) => unknown, string]>([
    ['name', '', (reader) => reader.text('name'), `given ''; allowed is a text that is not empty`],
    ['name', 5, (reader) => reader.text('name'), 'given 5; allowed is a text that is not empty'],
    ['flag', 'true', (reader) => reader.flag('flag', true), `given 'true'; allowed is true or false`],
    ['choice', 'c', (reader) => reader.oneOf('choice', ['a', 'b'], 'a'), `given 'c'; allowed is 'a', 'b'`],
    ['count', 10, (reader) => reader.integer('count', 1, 0, 9), 'given 10; allowed is a whole number from 0 to 9'],
    ['count', -1, (reader) => reader.integer('count', 1, 0, 9), 'given -1; allowed is a whole number from 0 to 9'],
    ['count', 1.5, (reader) => reader.integer('count', 1, 0, 9), 'given 1.5; allowed is a whole number from 0 to 9'],
    [
      'count',
      [1],
      (reader) => reader.integer('count', 1, 0, 9),
      'given an array of 1; allowed is a whole number from 0 to 9',
    ],
    [
      'wait',
      'soon',
      (reader) => reader.duration('wait', 1, { least: 5, most: 9 }),
      `given 'soon'; allowed is milliseconds or a duration such as '15m' or '1h', from 5 to 9 ms`,
    ],
    [
      'wait',
      4,
      (reader) => reader.duration('wait', 1, { least: 5, most: 9, also: "'idle'" }),
      `given 4; allowed is 'idle', milliseconds or a duration such as '15m' or '1h', from 5 to 9 ms`,
    ],
    [
      'wait',
      10,
      (reader) => reader.duration('wait', 1, { least: 5, most: 9 }),
      `given 10; allowed is milliseconds or a duration such as '15m' or '1h', from 5 to 9 ms`,
    ],
    [
      'wait',
      '101y',
      (reader) => reader.duration('wait', 1, { least: 5 }),
      expect.stringContaining('3153600000000 ms') as never,
    ],
  ])('refuses %s: %p', (key, value, readIt, message) => {
    const expected = typeof message === 'string' ? `SessionAuthModule: ${key}: ${message}` : message;
    expect(() => readIt(read({ [key]: value }))).toThrow(refusal(expected));
  });

  it('cuts a long value in the message', () => {
    const message = expect.stringMatching(/^SessionAuthModule: flag: given 'x{100}'; /) as never;
    expect(() => read({ flag: 'x'.repeat(1000) }).flag('flag', true)).toThrow(refusal(message));
  });

  it('answers or refuses with a code, whatever is given', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        const reader = read({ name: value, flag: value, choice: value, count: value, wait: value, nested: value });
        for (const readIt of [
          () => reader.text('name'),
          () => reader.flag('flag', true),
          () => reader.oneOf('choice', ['a'], 'a'),
          () => reader.integer('count', 1, 0, 9),
          () => reader.duration('wait', 1, { least: 0 }),
          () => reader.slice('nested', ['inner']),
        ]) {
          try {
            readIt();
          } catch (error) {
            expect(error).toMatchObject({ code: 'invalid_configuration' });
          }
        }
      }),
    );
  });
});

describe('kindOf', () => {
  it.each([
    [undefined, 'nothing'],
    [null, 'null'],
    [[1, 2], 'an array of 2'],
    [{}, 'an object'],
    ['text', 'a string'],
    [1, 'a number'],
    [Symbol('x'), 'a symbol'],
    [() => 1, 'a function'],
  ])('calls %p %s', (value, kind) => {
    expect(kindOf(value)).toBe(kind);
  });
});
