import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { questionMarks } from './question-marks.js';

const VALUES = ['one', 'two', 'three'];

describe('a statement with question marks', () => {
  it.each([
    ['SELECT $1', 'SELECT ?', ['one']],
    ['SELECT $2, $1, $2', 'SELECT ?, ?, ?', ['two', 'one', 'two']],
    ['SELECT $1::bigint+$2::text[]', 'SELECT ?::bigint+?::text[]', ['one', 'two']],
    [`SELECT '$1', $1, '''$2'`, `SELECT '$1', ?, '''$2'`, ['one']],
    [`SELECT E'\\'$1', $1, e'a''$1', $2`, `SELECT E'\\'$1', ?, e'a''$1', ?`, ['one', 'two']],
    [`SELECT '\\', $1, '\\'`, `SELECT '\\', ?, '\\'`, ['one']],
    ['SELECT "$1""$2", $1', 'SELECT "$1""$2", ?', ['one']],
    ['SELECT $$ $1 $$, $2, $a$ $$ $1 $a$, $3', 'SELECT $$ $1 $$, ?, $a$ $$ $1 $a$, ?', ['two', 'three']],
    [`-- it's $1\nSELECT $1 /* '$2' */`, `-- it's $1\nSELECT ? /* '$2' */`, ['one']],
    ['SELECT a$1, b FROM t$2', 'SELECT a$1, b FROM t$2', []],
  ])('has the values in order: %s', (text, expected, values) => {
    expect(questionMarks(text, VALUES)).toEqual({ text: expected, values });
  });

  it('has those of operators, texts and names escaped', () => {
    expect(questionMarks(`SELECT data ? $1, data ?| $2, '?' AS "?"`, VALUES)).toEqual({
      text: `SELECT data \\? ?, data \\?| ?, '\\?' AS "\\?"`,
      values: ['one', 'two'],
    });
  });

  it('has more than nine parameters', () => {
    const values = Array.from({ length: 12 }, (_, index) => index + 1);
    const text = values.map((number) => `$${number}`).join(', ');
    expect(questionMarks(text, values)).toEqual({ text: values.map(() => '?').join(', '), values });
  });

  it('is the same again once the marks are numbered, whatever is between them', () => {
    const part = fc.constantFrom(`'$1 ?'`, `"$1"`, ' ', '-- $1\n', `E'\\''`, '/* $2 */', '$$ $1 $$', '::text', ' ? ');
    fc.assert(
      fc.property(fc.array(part), (parts) => {
        const text = parts.map((each, index) => `${each} $${index + 1} `).join('');
        const values = parts.map((_, index) => index + 1);
        const marked = questionMarks(text, values);
        let number = 0;
        const numbered = marked.text.replace(/\\\?|\?/g, (mark) => (mark === '?' ? `$${(number += 1)}` : '?'));
        expect([numbered, marked.values]).toEqual([text, values]);
      }),
    );
  });
});
