import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Which driver these tests are run with: `better-sqlite3` or `node:sqlite`. */
export const DRIVER = process.env['STACK_DRIVER'];

const drivers = {
  'better-sqlite3': async () => (await import('better-sqlite3')).default,
  'node:sqlite': async () => (await import('node:sqlite')).DatabaseSync,
};
const Database = await drivers[DRIVER]();

const contentOf = (name) =>
  readFileSync(createRequire(import.meta.url).resolve(`nestjs-session-auth/sqlite/${name}`), 'utf8');

/** What `schema.sql` and `upgrade.sql` of the package have in them. */
export const SCHEMA = contentOf('schema.sql');
export const UPGRADE = contentOf('upgrade.sql');

/** Opens a file, or `:memory:`. */
export function openHandle(file, options = {}) {
  const handle = new Database(file, options);
  handle.exec('PRAGMA journal_mode = WAL');
  return handle;
}

/** Runs a statement and returns its rows as objects. */
export function run(handle, text, ...values) {
  return handle.prepare(text).all(...values);
}

/** Makes a database with the tables of this package in a folder of its own. */
export function makeDatabase({ tables = true } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'sqlite-'));
  const file = join(folder, 'app.db');
  const handles = [];
  const open = (options) => {
    const handle = openHandle(file, options);
    handles.push(handle);
    return handle;
  };
  const first = open();
  if (tables) first.exec(SCHEMA);
  return {
    file,
    first,
    open,
    run: (text, ...values) => run(first, text, ...values),
    close: () => {
      for (const handle of handles) if (handle.isOpen ?? handle.open) handle.close();
      rmSync(folder, { recursive: true });
    },
  };
}
