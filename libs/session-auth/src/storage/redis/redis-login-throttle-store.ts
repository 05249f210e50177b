import {
  LoginThrottleStore,
  type FailureCount,
  type FailureKey,
  type NewFailure,
} from '../../throttle/login-throttle-store.js';
import { connectionOf } from './connection-of.js';
import type { RedisClient } from './redis-client.js';
import type { RedisConnection } from './redis-connection.js';
import { ADD, DELETE, LIST, READ, SET } from './redis-login-throttle-scripts.js';
import { keyOfFailures, namespaceOf } from './redis-keys.js';
import type { RedisScript } from './redis-script.js';

/**
 * Counts failed logins in Redis, for all nodes together. All counts of a subject are in one key, which has a time to
 * live. A call runs a script for each subject, all sent at the same time, so it takes one round trip. Works on a
 * Cluster too.
 */
export class RedisLoginThrottleStore extends LoginThrottleStore {
  readonly #connection: RedisConnection;

  /** @throws SessionAuthError `invalid_configuration` for any value but a {@link RedisClient} */
  constructor(
    private readonly client: RedisClient,
    private readonly namespace: string,
  ) {
    super();
    this.#connection = connectionOf(client);
  }

  /** Where the records are: stores with the same place have the same records. */
  get place(): string {
    return `redis ${this.namespace}`;
  }

  override ofRealm(realm: string): RedisLoginThrottleStore {
    return new RedisLoginThrottleStore(this.client, namespaceOf({ namespace: this.namespace, realm }));
  }

  override async read(keys: readonly FailureKey[], now: number): Promise<readonly (FailureCount | undefined)[]> {
    const values = await this.#runBySubject(READ, keys, now, ({ counter }) => [counter]);
    return values.map((value) => (value === null ? undefined : ifLive(decodeCount(value), now)));
  }

  override async add(failures: readonly NewFailure[], now: number): Promise<readonly FailureCount[]> {
    const values = await this.#runBySubject(ADD, failures, now, ({ counter, window }) => [counter, now + window]);
    return values.map(decodeCount);
  }

  override async set({ subject, counter }: FailureKey, { count, until }: FailureCount, now: number): Promise<void> {
    await this.#run(SET, subject, [now, counter, `${count} ${until}`, until]);
  }

  override async delete(keys: readonly FailureKey[]): Promise<void> {
    await this.#runBySubject(DELETE, keys, 0, ({ counter }) => [counter]);
  }

  override async list(subject: string, now: number): Promise<readonly (FailureKey & FailureCount)[]> {
    const fields = listOf(await this.#run(LIST, subject, []));
    const counts: (FailureKey & FailureCount)[] = [];
    for (let i = 0; i < fields.length; i += 2) {
      const count = ifLive(decodeCount(fields[i + 1]), now);
      if (count !== undefined) counts.push({ subject, counter: fields[i] as string, ...count });
    }
    return counts;
  }

  override deleteExpired(): Promise<number> {
    return Promise.resolve(0);
  }

  /** Runs a script for each subject of these keys, and returns the results in the order of the keys. */
  async #runBySubject<Key extends FailureKey>(
    script: RedisScript,
    keys: readonly Key[],
    now: number,
    argumentsOf: (key: Key) => readonly (string | number)[],
  ): Promise<readonly unknown[]> {
    const answers: unknown[] = [];
    const subjects = [...new Set(keys.map(({ subject }) => subject))];
    await Promise.all(
      subjects.map(async (subject) => {
        const places = [...keys.keys()].filter((place) => keys[place]!.subject === subject);
        const args = places.flatMap((place) => argumentsOf(keys[place]!));
        const ofSubject = listOf(await this.#run(script, subject, [now, ...args]), places.length);
        for (const [i, place] of places.entries()) answers[place] = ofSubject[i];
      }),
    );
    return answers;
  }

  #run(script: RedisScript, subject: string, args: readonly (string | number)[]): Promise<unknown> {
    return script.run(this.#connection, [keyOfFailures(this.namespace, subject)], args);
  }
}

function listOf(answer: unknown, length?: number): readonly unknown[] {
  if (Array.isArray(answer) && (length === undefined || answer.length === length)) return answer;
  throw unreadable();
}

function decodeCount(value: unknown): FailureCount {
  const match = typeof value === 'string' ? /^(\d+) (\d+)$/.exec(value) : null;
  if (match === null) throw unreadable();
  return { count: Number(match[1]), until: Number(match[2]) };
}

function ifLive(count: FailureCount, now: number): FailureCount | undefined {
  return count.until > now ? count : undefined;
}

function unreadable(): Error {
  return new Error('Redis returned a value that is not a list of counts');
}
