import { inspect } from 'node:util';
import { SessionAuthError } from '../../errors/session-auth.error.js';

/** The part of a `Database` of `better-sqlite3` that is used here. */
export interface BetterSqlite3Handle {
  readonly inTransaction: boolean;
  readonly open: boolean;
  prepare(text: string): {
    readonly reader: boolean;
    raw(toggle: boolean): unknown;
    safeIntegers(toggle: boolean): unknown;
    all(...values: unknown[]): unknown[];
    run(...values: unknown[]): { readonly changes: number };
  };
  exec(text: string): unknown;
  pragma(text: string): unknown;
}

/** The part of a `DatabaseSync` of `node:sqlite` that is used here. */
export interface NodeSqliteHandle {
  readonly isTransaction: boolean;
  readonly isOpen: boolean;
  prepare(text: string): {
    setReturnArrays(enabled: boolean): void;
    setReadBigInts(enabled: boolean): void;
    all(...values: (string | number | null)[]): unknown[];
    run(...values: (string | number | null)[]): { readonly changes: number | bigint };
  };
  exec(text: string): void;
}

/**
 * A `Database` of `better-sqlite3` 12 or 13, or a `DatabaseSync` of `node:sqlite` (Node 22.16 or later): the
 * application opens it and closes it.
 */
export type SqliteHandle = BetterSqlite3Handle | NodeSqliteHandle;

/** A value in a statement. */
export type SqliteValue = string | number | null;

/** A row, in the order of its columns. */
export type Row = readonly SqliteValue[];

/** A handle of either driver, with its statements prepared once. */
export interface SqliteConnection {
  /** Returns whether a transaction is open on it. */
  readonly isInTransaction: () => boolean;
  /** Returns the rows of a statement, which may write as well. */
  readonly all: (text: string, ...values: readonly SqliteValue[]) => readonly Row[];
  /** Runs a statement without rows, and returns how many it has written. */
  readonly run: (text: string, ...values: readonly SqliteValue[]) => number;
  /** Runs a statement that is not prepared. */
  readonly exec: (text: string) => void;
}

/**
 * Returns the connection of the value that the application gives as a handle.
 *
 * @throws SessionAuthError `invalid_configuration` for any other value, and for a closed handle
 */
export function connect(given: unknown): SqliteConnection {
  if (isBetterSqlite3(given)) return given.open ? ofBetterSqlite3(given) : refuse('a closed database');
  if (isNodeSqlite(given)) return given.isOpen ? ofNodeSqlite(given) : refuse('a closed database');
  return refuse(isObject(given) ? `an object of ${nameOf(given)}` : inspect(given));
}

function ofBetterSqlite3(handle: BetterSqlite3Handle): SqliteConnection {
  const prepared = preparedOnce((text) => {
    const statement = handle.prepare(text);
    // overrides the application's default
    if (statement.reader) {
      statement.raw(true);
      statement.safeIntegers(false);
    }
    return statement;
  });
  return {
    isInTransaction: () => handle.inTransaction,
    all: (text, ...values) => prepared(text).all(...values) as Row[],
    run: (text, ...values) => prepared(text).run(...values).changes,
    exec: (text) => void handle.exec(text),
  };
}

function ofNodeSqlite(handle: NodeSqliteHandle): SqliteConnection {
  const prepared = preparedOnce((text) => {
    const statement = handle.prepare(text);
    statement.setReturnArrays(true);
    // otherwise a row with a number that is too large cannot be read, and hides all others in the result
    statement.setReadBigInts(true);
    return statement;
  });
  const asNumber = (value: unknown): unknown => (typeof value === 'bigint' ? Number(value) : value);
  return {
    isInTransaction: () => handle.isTransaction,
    all: (text, ...values) => (prepared(text).all(...values) as unknown[][]).map((row) => row.map(asNumber) as Row),
    run: (text, ...values) => Number(prepared(text).run(...values).changes),
    exec: (text) => handle.exec(text),
  };
}

/** This library has few statements, without values in their texts. */
function preparedOnce<T>(prepare: (text: string) => T): (text: string) => T {
  const statements = new Map<string, T>();
  return (text) => {
    const known = statements.get(text);
    if (known !== undefined) return known;
    const statement = prepare(text);
    statements.set(text, statement);
    return statement;
  };
}

function isBetterSqlite3(value: unknown): value is BetterSqlite3Handle {
  return hasMethods(value) && typeof value['pragma'] === 'function' && typeof value['inTransaction'] === 'boolean';
}

/** Before Node 22.16 a handle does not show whether it is in a transaction. */
function isNodeSqlite(value: unknown): value is NodeSqliteHandle {
  // on a closed handle, reading the property throws
  return hasMethods(value) && typeof value['isOpen'] === 'boolean' && 'isTransaction' in value;
}

function hasMethods(value: unknown): value is Readonly<Record<string, unknown>> {
  return isObject(value) && typeof value['prepare'] === 'function' && typeof value['exec'] === 'function';
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function nameOf(given: object): string {
  return (given.constructor as { readonly name?: string } | undefined)?.name ?? 'no class';
}

function refuse(given: string): never {
  throw new SessionAuthError(
    'invalid_configuration',
    `sqliteStorage.database: given ${given}; allowed is an open Database of better-sqlite3 12 or 13, ` +
      'or an open DatabaseSync of node:sqlite (Node 22.16 or later)',
  );
}
