import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { columnList, sql } from './sql-text.js';

describe('sql', () => {
  it('has nothing of a text in a statement but hexadecimal digits', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const [, digits] = /^SELECT x'([0-9a-f]*)' AS a$/.exec(sql`SELECT ${text} AS a`.text)!;
        expect(Buffer.from(digits!, 'hex').toString()).toBe(text);
      }),
    );
  });

  it('takes whole numbers, bytes, nothing, lists and parts of statements', () => {
    const { text } = sql`${-1} ${Buffer.from([0, 255])} ${null} (${['a', 2]}) ${columnList(['b', 'c'])}`;
    expect(text).toBe(`-1 x'00ff' NULL (x'61', 2) b, c`);
  });

  it('has a list of nothing find nothing', () => {
    expect(sql`a IN (${[]})`.text).toBe('a IN (NULL)');
  });

  it.each([NaN, Infinity, 1.5, 2 ** 53])('refuses %d, which the server would take for something else', (number) => {
    expect(() => sql`SELECT ${number}`).toThrow(RangeError);
  });
});
