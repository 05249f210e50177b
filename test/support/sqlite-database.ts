import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BetterSqlite3Handle } from 'nestjs-session-auth/sqlite';

const SCHEMA = join(import.meta.dirname, '../../libs/session-auth/sqlite/schema.sql');

type Database = BetterSqlite3Handle & { close(): void };

/** A file of a test's own. */
export interface SqliteTestDatabase {
  /** Opens a handle on it, which is closed with the database. */
  open(): BetterSqlite3Handle;
  close(): Promise<void>;
}

/** Makes a database with the library's tables, by the `better-sqlite3` of the folder that `TEST_SQLITE_FROM` names. */
export async function createSqliteDatabase(): Promise<SqliteTestDatabase> {
  const load = createRequire(join(process.env['TEST_SQLITE_FROM']!, 'package.json'));
  const Sqlite = load('better-sqlite3') as new (file: string) => Database;
  const folder = await mkdtemp(join(tmpdir(), 'sqlite-'));
  const handles: Database[] = [];
  const open = (): BetterSqlite3Handle => {
    const handle = new Sqlite(join(folder, 'test.db'));
    handles.push(handle);
    handle.pragma('journal_mode = WAL');
    return handle;
  };
  open().exec(await readFile(SCHEMA, 'utf8'));
  return {
    open,
    close: async () => {
      for (const handle of handles) handle.close();
      await rm(folder, { recursive: true });
    },
  };
}
