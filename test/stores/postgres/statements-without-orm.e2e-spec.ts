import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  createTablesSql,
  PostgresLoginThrottleStore,
  PostgresRememberMeTokenStore,
  PostgresSessionStore,
  type SqlExecutor,
} from 'nestjs-session-auth/postgres';
import { Client, Pool } from 'pg';
import { auditStatements } from '../../../libs/session-auth/src/storage/postgres/audit-statements.js';
import { createStatements } from '../../../libs/session-auth/src/storage/postgres/create-statements.js';
import { findStatements } from '../../../libs/session-auth/src/storage/postgres/find-statements.js';
import { generationClauses } from '../../../libs/session-auth/src/storage/postgres/generation-clauses.js';
import { linkClauses } from '../../../libs/session-auth/src/storage/postgres/link-clauses.js';
import type { PostgresStatement } from '../../../libs/session-auth/src/storage/postgres/postgres-statement.js';
import { rememberMeStatements } from '../../../libs/session-auth/src/storage/postgres/remember-me-statements.js';
import { sessionStatements } from '../../../libs/session-auth/src/storage/postgres/session-statements.js';
import { StoredKeys } from '../../../libs/session-auth/src/storage/postgres/stored-keys.js';
import { sweepStatements } from '../../../libs/session-auth/src/storage/postgres/sweep-statements.js';
import { throttleStatements } from '../../../libs/session-auth/src/storage/postgres/throttle-statements.js';
import { userSessionStatements } from '../../../libs/session-auth/src/storage/postgres/user-session-statements.js';
import { createTestDatabase, type TestDatabase } from '../../support/postgres-database.js';
import { HOUR, MINUTE, newDigest, newRecord, NO_LIMIT, NOW } from '../../support/session-records.js';
import { executorOn } from '../../support/sql-executors.js';

const TEXT = 25;
const BIGINTS = [20, 23];

let database: TestDatabase;
let pool: Pool;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = new Pool({ connectionString: database.url });
  await pool.query(createTablesSql());
});

afterAll(async () => {
  await pool.end();
  await database.close();
});

describe('each statement', () => {
  const keys = new StoredKeys('staff');
  const ofSessions = [true, false].flatMap((isLinked) => {
    const generations = generationClauses(undefined, keys, 'sessions');
    const link = linkClauses('session_auth_session', isLinked, generations, keys);
    return [createStatements, findStatements, sessionStatements, userSessionStatements]
      .map((make): object => make('session_auth_session', link, generations))
      .concat(sweepStatements('session_auth_session', keys, link, generations));
  });
  const statements = [
    ...ofSessions,
    rememberMeStatements('session_auth_remember_me', keys, generationClauses(undefined, keys, 'devices')),
    throttleStatements('session_auth_throttle', keys),
    auditStatements('session_auth_audit_event'),
  ].flatMap(flat);

  it.each(statements)('returns what it names, as text, by names of one word: %s', async (name, statement) => {
    const { columns, parameters } = await describeStatement(statement.text);
    // those that check a table return no rows
    if (name === 'check') return;
    expect(columns.slice(0, statement.columns.length)).toEqual(statement.columns.map((column) => [column, TEXT]));
    const told = columns.slice(statement.columns.length);
    expect(told).toEqual(told.length === 0 ? [] : [['told', TEXT]]);
    expect(columns.filter(([column]) => !/^[a-z]+$/.test(column))).toEqual([]);
    expect(new Set(columns.map(([column]) => column)).size).toBe(columns.length);
    // neither arrays nor JSON, of which drivers make different things
    expect(parameters.filter((type) => type !== TEXT && !BIGINTS.includes(type))).toEqual([]);
  });
});

describe('what an executor is asked for', () => {
  const sent: string[] = [];
  let executor: SqlExecutor;

  beforeAll(() => {
    const plain = executorOn(pool);
    const noted = (through: SqlExecutor): SqlExecutor => ({
      query: (text, values) => {
        sent.push(text.trim().split(/[\s(]/, 1)[0]!);
        return through.query(text, values);
      },
      transaction: (work) => {
        sent.push('transaction');
        return through.transaction((transaction) => work(noted(transaction)));
      },
    });
    executor = noted(plain);
  });

  const counted = async (call: () => Promise<unknown>): Promise<string[]> => {
    sent.length = 0;
    await call();
    return [...sent];
  };

  it('is one statement for a read that writes nothing, and one more for a touch', async () => {
    const store = new PostgresSessionStore(executor);
    const record = newRecord('alice');
    await store.create(record, NO_LIMIT, NOW);
    const find = (digest: string, now: number) => store.find(digest, { now, idle: HOUR, interval: MINUTE });
    expect(await counted(() => find(record.digest, NOW + MINUTE - 1))).toEqual(['SELECT']);
    expect(await counted(() => find(newDigest(), NOW))).toEqual(['SELECT']);
    expect(await counted(() => find(record.digest, NOW + MINUTE))).toEqual(['SELECT', 'UPDATE']);
    expect(await counted(() => Promise.all([find(record.digest, NOW), find(newDigest(), NOW)]))).toEqual(['SELECT']);
  });

  it('is one statement each to update, list and end a session, and one transaction for a login under a limit', async () => {
    const store = new PostgresSessionStore(executor);
    const record = newRecord('bob');
    await store.create(record, NO_LIMIT, NOW);
    expect(await counted(() => store.update(record.digest, { a: 1 }, NOW, 1000))).toEqual(['WITH']);
    expect(await counted(() => store.list('bob', { limit: 2 }, NOW))).toEqual(['SELECT']);
    const login = () => store.create(newRecord('bob'), { max: 1, onLimit: 'evict-oldest' }, NOW);
    expect(await counted(login)).toEqual(['transaction', 'SET', 'SELECT', 'WITH']);
    expect(await counted(() => store.delete(record.digest, NOW))).toEqual(['DELETE']);
    expect(await counted(() => store.deleteByUser('bob', { limit: 5 }, NOW))).toEqual([
      'transaction',
      'SET',
      'SELECT',
      'WITH',
    ]);
  });

  it('is one statement each for remembered devices and counts, except for operations with a lock', async () => {
    const tokens = new PostgresRememberMeTokenStore(executor);
    await tokens.list('alice', NOW);
    expect(await counted(() => tokens.find('selector', NOW))).toEqual(['SELECT']);
    const counts = new PostgresLoginThrottleStore(executor);
    await counts.list('alice', NOW);
    const key = { subject: 'alice', counter: 'failures' };
    expect(await counted(() => counts.add([{ ...key, window: MINUTE }], NOW))).toEqual(['INSERT']);
    expect(await counted(() => counts.delete([key]))).toEqual(['WITH']);
  });
});

/** Statements, and those of records of statements. */
function flat(group: object): [string, PostgresStatement][] {
  return Object.entries(group).flatMap(([name, each]: [string, PostgresStatement | object]) =>
    'text' in each ? [[name, each] as [string, PostgresStatement]] : flat(each),
  );
}

/** Returns the names and types of the columns that a statement returns, and the types of its parameters. */
async function describeStatement(text: string): Promise<{ columns: [string, number][]; parameters: number[] }> {
  const client = new Client({ connectionString: database.url });
  await client.connect();
  try {
    await client.query(`PREPARE described AS ${text}`);
    const { rows } = await client.query<{ types: string }>(
      `SELECT array_to_string(parameter_types::oid[], ',') AS types FROM pg_prepared_statements`,
    );
    const { types } = rows[0]!;
    const parameters = types === '' ? [] : types.split(',').map(Number);
    const run = (values: string[]) =>
      client.query(`EXECUTE described${values.length === 0 ? '' : ` (${values.join()})`}`);
    // an INSERT wants values: this one is a text, a list and JSON
    const { fields } = await run(parameters.map(() => 'NULL')).catch(() =>
      run(parameters.map((type) => (type === TEXT ? `'{}'` : '0'))),
    );
    return {
      columns: fields.map(({ name, dataTypeID }) => [name, dataTypeID]),
      parameters,
    };
  } finally {
    await client.end();
  }
}
