import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sqliteStorage, type BetterSqlite3Handle, type SqliteStorage } from 'nestjs-session-auth/sqlite';

/** A storage in a file of this process's own, by the `better-sqlite3` of the folder that `BENCH_SQLITE_FROM` names. */
export function openSqlite(): SqliteStorage {
  const load = createRequire(join(process.env['BENCH_SQLITE_FROM']!, 'package.json'));
  const Database = load('better-sqlite3') as new (file: string) => BetterSqlite3Handle;
  const folder = mkdtempSync(join(tmpdir(), 'bench-sqlite-'));
  process.on('exit', () => rmSync(folder, { recursive: true }));
  const database = new Database(join(folder, 'bench.db'));
  database.pragma('journal_mode = WAL');
  database.exec(readFileSync(fileURLToPath(import.meta.resolve('nestjs-session-auth/sqlite/schema.sql')), 'utf8'));
  return sqliteStorage({ database });
}
