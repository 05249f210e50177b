import { describe, expect, it } from '@jest/globals';
import type { PostgresStatement } from './postgres-statement.js';
import { SqlExecutorAdapter } from './sql-executor-adapter.js';
import type { SqlExecutor, SqlResult } from './sql-executor.js';

const STATEMENT: PostgresStatement = { text: 'SELECT', columns: ['a', 'b'] };

/** An executor that returns the same for each statement, and records its arguments. */
class NotingExecutor implements SqlExecutor {
  readonly given: string[] = [];

  constructor(private readonly result: SqlResult) {}

  query(text: string): Promise<SqlResult> {
    this.given.push(text);
    return Promise.resolve(this.result);
  }

  async transaction<T>(work: (transaction: SqlExecutor) => Promise<T>): Promise<T> {
    this.given.push('begin');
    const outcome = await work(this);
    this.given.push('end');
    return outcome;
  }
}

async function rowsOf(...rows: object[]): Promise<unknown> {
  const executor = new SqlExecutorAdapter(new NotingExecutor({ rows }));
  return executor.lease((lease) => lease.query(STATEMENT, []), Infinity);
}

describe('the rows of an executor', () => {
  it('are text in the order of the columns, whatever the driver has made of them and in which order', async () => {
    expect(await rowsOf({ b: 'x', a: 12n, c: 1 }, { a: 1.5, b: null }, { a: true, b: undefined })).toEqual([
      ['12', 'x'],
      ['1.5', null],
      ['true', null],
    ]);
    expect(await rowsOf({ a: ['x', { '\0': 1 }], b: {} })).toEqual([['["x",{"\\u0000":1}]', '{}']]);
  });

  it('are refused where they lack a column, or are no objects', async () => {
    const refusal = { code: 'invalid_configuration', message: expect.stringContaining("a row without 'b'") as unknown };
    await expect(rowsOf({ a: 'x' })).rejects.toMatchObject(refusal);
    const noRows = new SqlExecutorAdapter(new NotingExecutor([] as unknown as SqlResult));
    await expect(noRows.lease((lease) => lease.query(STATEMENT, []), Infinity)).rejects.toMatchObject({
      message: expect.stringContaining('a result without an array of rows') as unknown,
    });
  });
});

describe('the error of an executor', () => {
  it('is what the driver threw, without the parameters that a wrapper has in its message', async () => {
    const cause = new Error('refused');
    const wrapper = new Error('Failed query: SELECT $1\nparams: alice@example.com', { cause });
    const failing: SqlExecutor = { query: () => Promise.reject(wrapper), transaction: (work) => work(failing) };
    const adapter = new SqlExecutorAdapter(failing);
    await expect(adapter.lease((lease) => lease.query(STATEMENT, []), Infinity)).rejects.toBe(cause);
  });
});

describe('a transaction of an executor', () => {
  it('sets its isolation first, then takes the lock, with the time that is left', async () => {
    const noting = new NotingExecutor({ rows: [{ a: 1, b: 2 }] });
    const executor = new SqlExecutorAdapter(noting);
    const work = (timeout: number): Promise<unknown> =>
      executor.lease((lease) => lease.transaction(5n, (transaction) => transaction.query(STATEMENT, [])), timeout);
    expect(await work(Infinity)).toEqual([['1', '2']]);
    await work(60_000);
    const isolation = 'SET TRANSACTION ISOLATION LEVEL READ COMMITTED';
    const idle = `set_config('idle_in_transaction_session_timeout', '10000', true) AS s0`;
    const lock = 'pg_advisory_xact_lock(5)::text AS taken';
    expect(noting.given.slice(0, 5)).toEqual(['begin', isolation, `SELECT ${idle}, ${lock}`, 'SELECT', 'end']);
    expect(noting.given[7]).toMatch(
      /'lock_timeout', '\d{5}', true\) AS s1, set_config\('statement_timeout', '\d{5}', true\)/,
    );
  });

  it('has no statement after the time is over', async () => {
    const noting = new NotingExecutor({ rows: [] });
    const late = new SqlExecutorAdapter(noting).lease(
      (lease) => lease.transaction(undefined, (transaction) => transaction.query(STATEMENT, [])),
      0,
    );
    await expect(late).rejects.toThrow('in time');
    expect(noting.given).toEqual(['begin']);
  });
});
