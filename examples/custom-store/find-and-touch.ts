import { handleOf, isHonoured, standingOf, type FindOutcome, type Touch } from 'nestjs-session-auth';
import type { SessionRows } from './session-rows.js';

/** `find` of the port: removes a session that has expired, and records the activity when that is due. */
export async function findAndTouch(
  rows: SessionRows,
  digest: string,
  { now, idle, interval, client = {} }: Touch,
): Promise<FindOutcome> {
  const [record] = await rows.select('handle = ?', [handleOf(digest)]);
  if (record === undefined) return { status: 'absent' };
  if (record.expiresAt <= now) {
    await rows.remove(record);
    return { status: 'expired', ended: { id: record.id, userId: record.userId } };
  }
  const isUse = isHonoured(standingOf(record, digest, now));
  if (!isUse || now - record.lastActivityAt < interval) return { status: 'live', record };
  const expiresAt = Math.min(now + idle, record.absoluteExpiresAt);
  const { ip = record.ip, userAgent = record.userAgent } = client;
  return { status: 'live', record: await rows.save({ ...record, ip, userAgent, lastActivityAt: now, expiresAt }) };
}
