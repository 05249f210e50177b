import { describe, expect, it } from '@jest/globals';
import { OptionReader } from '../options/option-reader.js';
import { resolveRealm } from '../resolve-options.js';
import { realmPart } from './realm-name.js';

const resolve = (realm: unknown): string => resolveRealm(OptionReader.root({ realm }, ['realm']));

describe('the option realm', () => {
  it('is default unless it is given', () => {
    expect(resolve(undefined)).toBe('default');
  });

  it.each(['staff', 'a', '0', '-', 'shop-2', 'a'.repeat(32)])('may be %p', (name) => {
    expect(resolve(name)).toBe(name);
  });

  it.each(['', 'Staff', 'a_b', 'a:b', 'a/b', 'é', 'a ', 'a'.repeat(33), 'staff\n', 5, null, {}])(
    'may not be %p',
    (name) => {
      expect(() => resolve(name)).toThrow(
        expect.objectContaining({ code: 'invalid_configuration', message: expect.stringContaining('realm: given') }),
      );
    },
  );
});

describe('realmPart', () => {
  it('is nothing for the default realm, and told apart for others', () => {
    expect(realmPart('default', '@', ':')).toBe('');
    expect(realmPart('staff', '@', ':')).toBe('@staff:');
  });
});
