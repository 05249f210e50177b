import { SessionAuthError, type SessionRecord } from 'nestjs-session-auth';
import type { DataSource } from 'typeorm';

/** The rows of one realm: each statement has it as a condition. */
export class SessionRows {
  constructor(
    private readonly database: DataSource,
    private readonly realm: string,
  ) {}

  async select(where: string, values: readonly (string | number)[]): Promise<SessionRecord[]> {
    const sql = `SELECT record FROM session WHERE realm = ? AND ${where}`;
    const rows = await this.database.query<{ record: string }[]>(sql, [this.realm, ...values]);
    return rows.map((row) => parseRecord(row.record));
  }

  async save(record: SessionRecord): Promise<SessionRecord> {
    const json = JSON.stringify(record);
    const { id, userId = null, createdAt, expiresAt } = record;
    const values = [this.realm, id, userId, createdAt, expiresAt, json];
    await this.database.query('INSERT OR REPLACE INTO session VALUES (?, ?, ?, ?, ?, ?)', values);
    return parseRecord(json);
  }

  async remove({ id }: SessionRecord): Promise<void> {
    await this.database.query('DELETE FROM session WHERE realm = ? AND handle = ?', [this.realm, id]);
  }
}

function parseRecord(json: string): SessionRecord {
  try {
    return JSON.parse(json) as SessionRecord;
  } catch (cause) {
    throw new SessionAuthError('corrupt_session_record', 'a stored session record cannot be read', { cause });
  }
}
