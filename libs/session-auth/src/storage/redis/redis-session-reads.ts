import { SHARD_TAG_LENGTH } from '../../crypto/session-token.js';
import type { FindOutcome, Touch } from '../../session/session-store.js';
import { Batcher } from '../../async/batcher.js';
import type { RedisClient } from './redis-client.js';
import { asStoreError, corruptRecord, decodeRecord } from './redis-session-codec.js';
import { FIND } from './redis-session-scripts.js';

/** What is asked for: a session by its digest, and the key of it. */
interface Ask {
  readonly digest: string;
  readonly key: string;
  readonly touch: Touch;
}

interface Read extends Ask {
  readonly resolve: (outcome: FindOutcome) => void;
  readonly reject: (error: unknown) => void;
}

/** At most so many sessions are read by one command: Redis does nothing else meanwhile. */
const READ_STEP = 100;

/**
 * Reads sessions, and touches those that are due. What is asked for in one turn of the event loop shares a command:
 * under load it is the command that costs, here and in Redis, and not the key. In a Redis Cluster, where a command has
 * to stay within a slot, each session is read by itself.
 */
export class RedisSessionReads {
  readonly #batcher = new Batcher<Read>((reads) => this.#send(reads));
  #step: number;

  constructor(private readonly client: RedisClient) {
    this.#step = client.isCluster === true ? 1 : READ_STEP;
  }

  find({ digest, key, touch }: Ask): Promise<FindOutcome> {
    return new Promise((resolve, reject) => this.#batcher.add({ digest, key, touch, resolve, reject }));
  }

  #send(reads: readonly Read[]): void {
    for (let from = 0, to = 0; from < reads.length; from = to) {
      const { touch } = reads[from]!;
      do to += 1;
      while (to < reads.length && to - from < this.#step && isAlike(touch, reads[to]!.touch));
      void this.#read(reads.slice(from, to), touch);
    }
  }

  async #read(reads: readonly Read[], { now, idle, interval }: Touch): Promise<void> {
    const keys = reads.map(({ key }) => key);
    try {
      const answers = await FIND.run(this.client, keys, [now, idle, interval]);
      if (!isListOf(reads.length, answers)) throw new Error('Redis answered a read of sessions with something else');
      for (let place = 0; place < reads.length; place += 1) settle(reads[place]!, answers[place]);
    } catch (error) {
      this.#fail(reads, error);
    }
  }

  #fail(reads: readonly Read[], error: unknown): void {
    // a proxy can hide a cluster from the client
    if (isRefusal(error) && error.message.startsWith('CROSSSLOT')) this.#step = 1;
    // what Redis refuses for one key must not fail the others
    if (isRefusal(error) && reads.length > 1) for (const read of reads) void this.#read([read], read.touch);
    else for (const { reject } of reads) reject(asStoreError(error));
  }
}

function settle({ digest, resolve, reject }: Read, answer: unknown): void {
  try {
    resolve(outcomeOf(digest, answer));
  } catch (error) {
    reject(error);
  }
}

function outcomeOf(digest: string, answer: unknown): FindOutcome {
  if (typeof answer === 'string') return { status: 'live', record: decodeRecord(digest, answer) };
  if (answer === null) return { status: 'absent' };
  const [hash, value] = answer as [string?, string?];
  if (hash === undefined || value === undefined) throw corruptRecord();
  const record = decodeRecord(digest.slice(0, SHARD_TAG_LENGTH) + hash, value);
  if (hash === '') return { status: 'expired', ended: { id: record.id, userId: record.userId } };
  return { status: 'live', record };
}

function isAlike(one: Touch, other: Touch): boolean {
  return one.now === other.now && one.idle === other.idle && one.interval === other.interval;
}

function isListOf(length: number, answer: unknown): answer is readonly unknown[] {
  return Array.isArray(answer) && answer.length === length;
}

/** Whether it is Redis itself that says no, and not the network. */
function isRefusal(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError';
}
