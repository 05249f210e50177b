import type { Redis } from 'ioredis';
import type { SessionRecord } from 'nestjs-session-auth';
import { shardTagOf } from '../../libs/session-auth/src/crypto/session-token.js';
import {
  DEFAULT_REDIS_NAMESPACE,
  keyOf,
  keyOfUser,
  KIND,
} from '../../libs/session-auth/src/storage/redis/redis-keys.js';
import { encodeRecord } from '../../libs/session-auth/src/storage/redis/redis-session-codec.js';

/** What a login knows of its user. */
export type NewSession = Pick<SessionRecord, 'email' | 'roles' | 'ip' | 'userAgent' | 'fingerprint'> & {
  readonly userId: string;
};

const SESSIONS_A_PIPELINE = 2000;
const PIPELINES = 4;
const HOUR = 3_600_000;

/**
 * Writes sessions as logins would leave them, without logins: what the script of a login sets, in pipelines. Sessions
 * of one user come one after the other.
 *
 * @param sessionOf the session of a number
 */
export async function fillRedis(
  client: Redis,
  from: number,
  to: number,
  sessionOf: (number: number) => NewSession,
): Promise<void> {
  let next = from;
  const worker = async (): Promise<void> => {
    while (next < to) {
      const first = next;
      next = Math.min(first + SESSIONS_A_PIPELINE, to);
      await writeSessions(client, first, next, sessionOf);
    }
  };
  await Promise.all(Array.from({ length: PIPELINES }, worker));
}

async function writeSessions(
  client: Redis,
  from: number,
  to: number,
  sessionOf: (number: number) => NewSession,
): Promise<void> {
  const now = Date.now();
  const pipeline = client.pipeline();
  const indexes = new Map<string, (string | number)[]>();
  for (let number = from; number < to; number++) {
    const session = sessionOf(number);
    const tag = shardTagOf(session.userId);
    // random numbers would take most of the time, and nobody has to guess these
    const id = Buffer.from(String(number).padStart(15)).toString('base64url');
    const value = encodeRecord({
      ...session,
      digest: `${tag}${id}${'h'.repeat(43 - id.length)}${id}`,
      id,
      createdAt: now,
      authenticatedAt: now,
      authentication: 'password',
      rotatedAt: now,
      lastActivityAt: now,
      expiresAt: now + HOUR,
      absoluteExpiresAt: now + 24 * HOUR,
      data: {},
    });
    pipeline.set(keyOf(DEFAULT_REDIS_NAMESPACE, KIND.session, tag + id), value, 'PX', HOUR);
    const members = indexes.get(session.userId);
    if (members === undefined) indexes.set(session.userId, [now, id]);
    else members.push(now, id);
  }
  for (const [userId, members] of indexes) {
    const index = keyOfUser(DEFAULT_REDIS_NAMESPACE, KIND.userSessions, userId);
    pipeline.zadd(index, ...members).pexpire(index, 24 * HOUR);
  }
  const replies = (await pipeline.exec())!;
  const failed = replies.find(([error]) => error !== null);
  if (failed !== undefined) throw failed[0]!;
}
