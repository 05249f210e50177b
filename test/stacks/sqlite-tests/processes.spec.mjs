import 'reflect-metadata';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { SqliteLoginThrottleStore, SqliteSessionStore } from 'nestjs-session-auth/sqlite';
import { DRIVER, makeDatabase } from './handles.mjs';
import { newRecord, NO_LIMIT, NOW } from './records.mjs';
import { failOften, logInOften, sweep } from './tasks.mjs';

/** Starts another process on a file, which waits with its task until it is told to begin. */
async function startProcess(file, task) {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'second-process.mjs'), file, task], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const word = async () => {
    const { done, value } = await lines.next();
    if (done) throw new Error('the other process has ended');
    return JSON.parse(value);
  };
  assert.equal(await word(), 'ready');
  return {
    begin: () => child.stdin.write('begin\n'),
    word,
    kill: async () => {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}

describe(`${DRIVER}: two processes on one file`, () => {
  let database;
  let other;

  beforeEach(() => {
    database = makeDatabase();
  });
  afterEach(async () => {
    await other?.kill();
    database.close();
  });

  const start = async (task) => {
    other = await startProcess(database.file, task);
    return other;
  };

  it('let as many of two hundred parallel logins in as the limit says', async () => {
    const { begin, word } = await start('log in');
    const store = new SqliteSessionStore(database.first, { queryTimeout: 60_000 });
    begin();
    const here = await logInOften(store, { max: 10, onLimit: 'reject' });
    const there = await word();
    const sum = (status) => (here[status] ?? 0) + (there[status] ?? 0);
    assert.deepEqual([sum('created'), sum('limit_reached')], [10, 190]);
    assert.equal((await store.list('alice', { limit: 100 }, NOW)).records.length, 10);
  });

  it('count each failure once', async () => {
    const { begin, word } = await start('fail');
    begin();
    const counts = await failOften(new SqliteLoginThrottleStore(database.first, { queryTimeout: 60_000 }));
    counts.push(...(await word()));
    assert.deepEqual(
      counts.sort((a, b) => a - b),
      Array.from({ length: 400 }, (_, i) => i + 1),
    );
  });

  it('report each session that has expired once', async () => {
    const store = new SqliteSessionStore(database.first, { queryTimeout: 60_000 });
    const records = Array.from({ length: 1500 }, () => newRecord('alice'));
    for (const record of records) await store.create(record, NO_LIMIT, NOW);
    const { begin, word } = await start('sweep');
    begin();
    const ended = await sweep(store);
    ended.push(...(await word()));
    assert.deepEqual(ended.sort(), records.map(({ id }) => id).sort());
  });

  it('lose nothing and hold up nobody when one is killed within a transaction', async () => {
    const store = new SqliteSessionStore(database.first, { queryTimeout: 60_000 });
    const [before, after] = [newRecord('alice'), newRecord('alice')];
    await store.create(before, NO_LIMIT, NOW);
    const { begin, word, kill } = await start('hold the lock');
    begin();
    assert.equal(await word(), 'held');
    const created = store.create(after, NO_LIMIT, NOW);
    await kill();
    assert.equal((await created).status, 'created');
    const { records } = await store.list('alice', { limit: 10 }, NOW);
    assert.deepEqual(records.map(({ id }) => id).sort(), [before.id, after.id].sort());
  });
});
