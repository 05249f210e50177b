import type { SessionStore } from 'nestjs-session-auth';
import { withReplaced, withSuccessor } from '../../libs/session-auth/src/session/session-tokens.js';
import { MINUTE, newDigest, newRecord, nextDigest, NOW } from './session-records.js';

export const USERS = ['alice', 'bob'];

/** The most sessions that one of them may have. */
export const LIMIT = 20;

/**
 * Does at random what there is to do with the sessions of two users, 32 at a time, on stores of two nodes. Returns the
 * time at the end.
 *
 * @param count of operations
 */
export async function loadSessions(stores: readonly SessionStore[], count = 4000): Promise<number> {
  const digests = new Map(USERS.map((user) => [user, [] as string[]]));
  let now = NOW;
  const pick = <T>(list: readonly T[]): T | undefined => list[Math.floor(Math.random() * list.length)];
  const operations: ((store: SessionStore, user: string, digest: string) => Promise<unknown>)[] = [
    async (store, user) => {
      const device = pick([undefined, undefined, 'phone', 'laptop']);
      const record = newRecord(user, { createdAt: now, lastActivityAt: now, expiresAt: now + MINUTE, device });
      const onLimit = pick(['evict-oldest', 'evict-least-recent'] as const)!;
      await store.create(record, { max: LIMIT, onLimit, sharedFor: pick([0, 100])! }, now);
      digests.get(user)!.push(record.digest);
    },
    async (store, user, digest) => {
      const found = await store.find(digest, { now, idle: MINUTE, interval: MINUTE });
      if (found.status !== 'live') return;
      const { record } = found;
      const next = nextDigest(digest);
      const changes = pick([
        withSuccessor(record, next, now),
        withReplaced(record, next, { now, grace: 1000, kind: 'retired' }),
      ])!;
      const renewed = pick([{}, { createdAt: now, expiresAt: now + MINUTE }])!;
      await store.rotate(digest, { revision: record.revision ?? 0, now, changes: { ...changes, ...renewed } });
      digests.get(user)!.push(next);
    },
    (store, _, digest) => store.find(digest, { now, idle: MINUTE, interval: 0 }),
    (store, _, digest) => store.update(digest, { [pick(['a', 'b', 'c'])!]: now, d: undefined }, now, 1000),
    (store, _, digest) => store.delete(digest, now),
    (store, user) => store.updateByUser(user, { roles: [String(now)] }, now),
    (store, user) => store.deleteByUser(user, { limit: pick([1, 5, 100])! }, now),
    (store, user) => store.list(user, { limit: 10 }, now),
    (store) => store.deleteExpired(now, 5),
  ];
  // logins outnumber the rest, so that there is something to work on
  const weighted = [...operations, ...Array.from({ length: 6 }, () => operations[0]!), operations[1]!, operations[1]!];

  let left = count;
  const worker = async (_: unknown, index: number): Promise<void> => {
    while (left-- > 0) {
      now += 20;
      const user = pick(USERS)!;
      await pick(weighted)!(stores[index % 2]!, user, pick(digests.get(user)!.slice(-40)) ?? newDigest());
    }
  };
  await Promise.all(Array.from({ length: 32 }, worker));
  return now;
}
