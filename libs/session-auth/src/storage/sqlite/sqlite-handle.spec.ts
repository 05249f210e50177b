import { describe, expect, it } from '@jest/globals';
import { connect } from './sqlite-handle.js';

describe('connect', () => {
  class DataSource {
    readonly driver = { prepare: () => undefined, exec: () => undefined };
  }

  it.each<[string, unknown, string]>([
    ['nothing', undefined, 'undefined'],
    ['a path', 'bank.db', "'bank.db'"],
    ['a DataSource', new DataSource(), 'an object of DataSource'],
    ['an object without a class', Object.create(null), 'an object of no class'],
    [
      'a handle that does not tell of transactions',
      { ...new DataSource().driver, isOpen: true },
      'an object of Object',
    ],
  ])('refuses %s, and says what it takes', (_, given, said) => {
    expect(() => connect(given)).toThrow(
      `sqliteStorage.database: given ${said}; allowed is an open Database of better-sqlite3 12 or 13, ` +
        'or an open DatabaseSync of node:sqlite (Node 22.16 or later)',
    );
  });
});
