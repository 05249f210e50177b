import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { encodeText } from './postgres-text.js';
import { DEFAULT_KEYS, StoredKeys } from './stored-keys.js';

const REALMS = [DEFAULT_KEYS, new StoredKeys('staff'), new StoredKeys('sta')];
const text = fc.oneof(
  fc.string(),
  fc.string({ unit: fc.constantFrom('\u001a', '@', 's', 't', 'a', 'f', ':', '0', '4') }),
);

describe('StoredKeys', () => {
  it('leaves keys of the default realm as they are', () => {
    expect(DEFAULT_KEYS.encode('AbCd_-01234567890123')).toBe('AbCd_-01234567890123');
    expect(DEFAULT_KEYS.encodeUser('42')).toBe('42');
    expect(DEFAULT_KEYS.prefix).toBe('');
  });

  it('returns what was stored, of every text', () => {
    fc.assert(
      fc.property(fc.constantFrom(...REALMS), text, (keys, userId) => {
        expect(keys.decodeUser(keys.encodeUser(userId))).toBe(userId);
        expect(keys.decode(keys.encode('AbCd_-01234567890123'))).toBe('AbCd_-01234567890123');
      }),
    );
  });

  it('stores no user of one realm as a user of another, whatever their ids are', () => {
    fc.assert(
      fc.property(text, text, (one, other) => {
        const stored = [...REALMS.map((keys) => keys.encodeUser(one)), encodeText(`@staff:${one}`)];
        const others = REALMS.map((keys) => keys.encodeUser(other));
        for (const [i, each] of others.entries()) {
          for (const [j, its] of stored.slice(0, 3).entries()) if (i !== j) expect(each).not.toBe(its);
        }
        expect(others.slice(1)).not.toContain(stored[3]);
      }),
    );
  });
});
