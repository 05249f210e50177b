import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodeData, encodeData, encodePatch } from './session-data.js';

describe('the stored data of a session', () => {
  it('is any data to the letter, a line a key', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { noNullPrototype: true }), (data) => {
        const text = encodeData(data);
        expect(text).not.toContain('\0');
        expect(JSON.stringify(decodeData(text))).toBe(JSON.stringify(data));
        expect(text.split('\n')).toHaveLength(Object.keys(data).length === 0 ? 1 : Object.keys(data).length + 2);
      }),
    );
  });

  it('has lines that begin for one key only', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.jsonValue(), (key, other, value) => {
        const { starts } = encodePatch({ [key]: undefined });
        const { lines } = encodePatch(Object.fromEntries([[other, value]]));
        expect(lines[0]!.startsWith(starts[0]!)).toBe(key === other);
      }),
    );
  });

  it('is corrupt when it is no object', () => {
    const corrupt = expect.objectContaining({ code: 'corrupt_session_record' });
    for (const data of ['[]', '5', 'null', '"text"']) expect(() => decodeData(data)).toThrow(corrupt);
  });
});
