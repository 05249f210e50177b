import type { EndedSession } from '../../session/session-store.js';
import type { StoredKeys } from '../postgres/stored-keys.js';
import { deleteByKey } from './delete-by-key.js';
import type { MysqlDatabase } from './mysql-database.js';
import type { GenerationClauses } from './generation-clauses.js';
import { isOwn } from './own-rows.js';
import { isTrue, numberOf, type Row } from './pooled-connection.js';
import { sql } from './sql-text.js';
import { DAY } from '../../time/units.js';

/** The most rows that one step of a sweep reads. */
const STEP = 500;

/** Removes expired sessions, and locks of users that have not been used for a day. */
export class SessionSweeps {
  constructor(
    private readonly database: MysqlDatabase,
    private readonly keys: StoredKeys,
    private readonly generations: Pick<GenerationClauses, 'isPresent'>,
  ) {}

  /** Removes at most `limit` sessions and returns them. */
  async deleteExpired(now: number, limit: number): Promise<readonly EndedSession[]> {
    const ended: EndedSession[] = [];
    for (let more = true; more && ended.length < limit;) {
      const step = await this.#step(now, limit - ended.length);
      ended.push(...step.ended);
      ({ more } = step);
    }
    if (ended.length < limit) await this.database.sweepLocks(now - DAY, STEP);
    return ended;
  }

  async #step(now: number, limit: number): Promise<{ readonly ended: EndedSession[]; readonly more: boolean }> {
    const table = this.database.tables.session;
    const due = await this.database.read(sql`SELECT handle FROM ${table}
      WHERE sweep_at <= ${now} AND ${isOwn(this.keys, 'handle')} ORDER BY sweep_at LIMIT ${STEP}`);
    if (due.length === 0) return { ended: [], more: false };
    return this.database.sweep(async (transaction) => {
      const { rows } = await transaction.query(sql`SELECT handle, user_id, expires_at, ${this.generations.isPresent}
        FROM ${table} FORCE INDEX (PRIMARY)
        WHERE handle IN (${due.map(([handle]) => handle!)}) ORDER BY handle FOR UPDATE SKIP LOCKED`);
      // sessions that have ended with their realm are due within `lifetime.idle`, because nothing postpones them
      const isLive = ([, , expiresAt, isPresent]: Row): boolean => numberOf(expiresAt!) > now && isTrue(isPresent!);
      const expired = rows.filter((row) => !isLive(row)).slice(0, limit);
      const live = rows.filter(isLive).map(([handle]) => handle!);
      if (expired.length > 0) {
        await deleteByKey(
          transaction,
          table,
          'handle',
          expired.map(([handle]) => handle!),
        );
      }
      // sessions that were used meanwhile: a sweep checks them again when they may have ended
      if (live.length > 0) {
        await transaction.query(sql`UPDATE ${table} FORCE INDEX (PRIMARY)
          SET sweep_at = expires_at, version = version + 1 WHERE handle IN (${live})`);
      }
      const ended = expired.map(([handle, userId, , isPresent]) => ({
        id: this.keys.decode(String(handle)),
        userId: userId == null ? undefined : this.keys.decodeUser(String(userId)),
        ...(!isTrue(isPresent!) && { isReported: true }),
      }));
      return { ended, more: due.length === STEP && rows.length > 0 };
    });
  }
}
