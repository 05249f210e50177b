import type { DataSource } from 'typeorm';
import { LoginThrottleStore, type FailureCount, type FailureKey, type NewFailure } from 'nestjs-session-auth';
import { addFailures } from './add-failures.js';

interface Row extends FailureCount {
  readonly counter: string;
}

/** Counts failed logins in SQLite: each step is one statement, which SQLite runs by itself. */
export class SqliteLoginThrottleStore extends LoginThrottleStore {
  constructor(private readonly database: DataSource) {
    super();
  }

  /** Makes the table, if it is missing. */
  async createTable(): Promise<void> {
    await this.database.query(
      `CREATE TABLE IF NOT EXISTS failure_count (
        subject TEXT, counter TEXT, count INTEGER NOT NULL, until INTEGER NOT NULL, PRIMARY KEY (subject, counter)
      )`,
    );
  }

  override read(keys: readonly FailureKey[], now: number): Promise<readonly (FailureCount | undefined)[]> {
    return Promise.all(
      keys.map(async ({ subject, counter }) => {
        const where = 'subject = ? AND counter = ? AND until > ?';
        const [count] = await this.#query(`SELECT count, until FROM failure_count WHERE ${where}`, [
          subject,
          counter,
          now,
        ]);
        return count;
      }),
    );
  }

  override add(failures: readonly NewFailure[], now: number): Promise<readonly FailureCount[]> {
    return addFailures(this.database, failures, now);
  }

  override async set({ subject, counter }: FailureKey, { count, until }: FailureCount): Promise<void> {
    await this.#query('INSERT OR REPLACE INTO failure_count VALUES (?, ?, ?, ?)', [subject, counter, count, until]);
  }

  override async delete(keys: readonly FailureKey[]): Promise<void> {
    for (const { subject, counter } of keys) {
      await this.#query('DELETE FROM failure_count WHERE subject = ? AND counter = ?', [subject, counter]);
    }
  }

  override async list(subject: string, now: number): Promise<readonly (FailureKey & FailureCount)[]> {
    const where = 'subject = ? AND until > ?';
    const rows = await this.#query(`SELECT counter, count, until FROM failure_count WHERE ${where}`, [subject, now]);
    return rows.map((row) => ({ subject, ...row }));
  }

  override async deleteExpired(now: number, limit: number): Promise<number> {
    const due = 'SELECT rowid FROM failure_count WHERE until <= ? LIMIT ?';
    const removed = await this.#query(`DELETE FROM failure_count WHERE rowid IN (${due}) RETURNING counter`, [
      now,
      limit,
    ]);
    return removed.length;
  }

  #query(sql: string, values: (string | number)[]): Promise<Row[]> {
    return this.database.query<Row[]>(sql, values);
  }
}
