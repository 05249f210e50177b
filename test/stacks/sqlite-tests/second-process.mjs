import 'reflect-metadata';
import { once } from 'node:events';
import { SqliteLoginThrottleStore, SqliteSessionStore } from 'nestjs-session-auth/sqlite';
import { openHandle } from './handles.mjs';
import { failOften, logInOften, sweep } from './tasks.mjs';

/*
 * Another process on a file: `second-process.mjs FILE TASK`. It says `ready`, begins at a line of its input, and says
 * what came of it as a line of JSON.
 */
const [file, task] = process.argv.slice(2);
const handle = openHandle(file, { timeout: 5000 });
const say = (word) => process.stdout.write(`${JSON.stringify(word)}\n`);

const TASKS = {
  'log in': () => logInOften(new SqliteSessionStore(handle), { max: 10, onLimit: 'reject' }),
  sweep: () => sweep(new SqliteSessionStore(handle)),
  fail: () => failOften(new SqliteLoginThrottleStore(handle)),
  'hold the lock': async () => {
    handle.exec("BEGIN IMMEDIATE; UPDATE session_auth_session SET user_id = 'mallory'");
    return 'held';
  },
};

say('ready');
await once(process.stdin, 'data');
say(await TASKS[task]());
