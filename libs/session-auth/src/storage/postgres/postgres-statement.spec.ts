import { describe, expect, it } from '@jest/globals';
import { encodeArray } from './postgres-statement.js';

describe('a list of texts', () => {
  it('is what PostgreSQL casts to an array', () => {
    expect(encodeArray([])).toBe('{}');
    expect(encodeArray(['a', '', 'NULL', '{b,c}'])).toBe('{"a","","NULL","{b,c}"}');
    expect(encodeArray(['"', '\\', '\n'])).toBe('{"\\"","\\\\","\n"}');
  });
});
