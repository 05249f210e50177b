import { describe, expect, it } from '@jest/globals';
import { qualifiedName, quoteIdentifier } from './sql-identifier.js';

describe('names in SQL', () => {
  it('are quoted, whatever is in them', () => {
    expect(quoteIdentifier('auth', 'schema')).toBe('"auth"');
    expect(quoteIdentifier('we"ird; DROP TABLE x --', 'schema')).toBe('"we""ird; DROP TABLE x --"');
    expect(qualifiedName('we"ird schema', 'sessions')).toBe('"we""ird schema"."sessions"');
    expect(qualifiedName(undefined, 'sessions')).toBe('"sessions"');
  });

  it('are refused where PostgreSQL would take them for another', () => {
    for (const name of ['', 'a\0b', 'x'.repeat(64), 'ä'.repeat(32)]) {
      expect(() => quoteIdentifier(name, 'schema')).toThrow(
        expect.objectContaining({ code: 'invalid_configuration', message: expect.stringMatching(/^schema: given /) }),
      );
    }
  });
});
