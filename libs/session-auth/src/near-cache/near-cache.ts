import { Logger } from '@nestjs/common';
import { SessionAuthError } from '../errors/session-auth.error.js';
import type { RegisteredLink } from '../link/node-registry.js';
import { haveRolesChanged } from '../session/session-tokens.js';
import type { SessionLifetime } from '../session/lifetime.options.js';
import type { SessionLink, SessionSignal } from '../session/session-link.js';
import { copyRecord } from '../session/record-copy.js';
import type { SessionRecord } from '../session/session-record.js';
import type { Touch } from '../session/session-store.js';
import type { Clock } from '../time/clock.js';
import { NearCacheNodes } from './near-cache-nodes.js';
import type { NearCacheSettings } from './near-cache.options.js';
import { NearCacheProtocol, type Fill, type FillOutcome, type Instant } from './near-cache-protocol.js';

/** A link whose heartbeats prove which messages have been received. */
export type ProvingLink = SessionLink & Required<Pick<SessionLink, 'prove'>> & Partial<RegisteredLink>;

/** A record in memory. No other code has it: every reader gets a copy. */
interface Entry {
  readonly record: SessionRecord;
  /** When a request would read the store in any case, in milliseconds since the Unix epoch. */
  readonly dueAt: number;
}

/** Milliseconds between two searches for entries that are due. */
const SEARCH_PAUSE = 1000;

/**
 * The sessions that a node has in its memory, by handle. {@link NearCacheProtocol} has the rules; this class reports
 * the events of the link to it, and sends the heartbeats.
 */
export class NearCache {
  readonly #logger = new Logger('SessionAuth');
  readonly #protocol: NearCacheProtocol<Entry>;
  readonly #pause: number;
  /** The other nodes; undefined if the backend has no registry of them. */
  readonly #nodes: NearCacheNodes | undefined;
  #stops: readonly (() => void)[] = [];
  #isOpen = false;
  #isLinked = false;
  #isBeating = false;
  #timer: NodeJS.Timeout | undefined;
  #searchedAt = -Infinity;

  /** @param instant reads the clocks of the machine */
  constructor(
    private readonly link: ProvingLink,
    private readonly settings: NearCacheSettings,
    private readonly lifetime: SessionLifetime,
    private readonly clock: Clock,
    private readonly instant: () => Instant = systemInstant,
  ) {
    const { bound, maxSessions } = settings;
    this.#protocol = new NearCacheProtocol(bound, maxSessions);
    this.#pause = bound / 4;
    const { registry } = link;
    const holder = {
      joined: () => this.#protocol.linked(),
      left: () => this.#protocol.unlinked(),
      doubt: () => void link.prove().catch(() => undefined),
    };
    this.#nodes = registry && new NearCacheNodes(registry, bound, holder, instant);
  }

  /** Why this node must keep no session, to follow `given`: see {@link SessionLink.unprovable}. */
  get refusal(): string | undefined {
    return this.link.unprovable;
  }

  /** The number of sessions in memory. */
  get size(): number {
    return this.#protocol.state.entries.size;
  }

  /**
   * Opens the link. While the link is down, every session is read from the store. Read {@link refusal} afterwards. A
   * strict cache that finds a new registry takes the longest bound: otherwise its first ends would.
   *
   * @throws SessionAuthError `invalid_configuration` when the backend refuses it
   */
  async open(): Promise<void> {
    this.#isOpen = true;
    const unobserve = this.link.observe({ lost: () => this.#unlinked(), restored: () => this.#linked() });
    const unwatch = this.link.watch((signal) => this.#hear(signal), { heartbeat: false });
    const unattend = this.#nodes && this.link.attend?.((message) => this.#nodes!.heard(message));
    this.#stops = [unwatch, unobserve, ...(unattend === undefined ? [] : [unattend])];
    try {
      await this.link.open();
      // another realm may have opened it
      if (this.#isOpen && this.link.isHealthy && !this.#isLinked) this.#linked();
      await this.#nodes?.entered;
      if (this.settings.consistency === 'strict') await this.#nodes?.reliable();
    } catch (error) {
      if (error instanceof SessionAuthError && error.code === 'invalid_configuration') throw error;
      this.#logger.error('the session link is down: every session is read from the store until it is back', error);
    }
  }

  async close(): Promise<void> {
    this.#isOpen = false;
    clearTimeout(this.#timer);
    for (const stop of this.#stops) stop();
    this.#isLinked = false;
    this.#protocol.unlinked();
    await this.#nodes?.close();
    await this.link.close();
  }

  /** Returns a copy of the record of a session's current token, if it may be served without a store read. */
  lookUp(handle: string, digest: string, { now, interval }: Touch): SessionRecord | undefined {
    // another listener may learn of a lost link before this object does, and read at once
    if (!this.link.isHealthy) return undefined;
    const entry = this.#protocol.lookUp(handle, this.instant());
    if (entry === undefined) return undefined;
    const { record } = entry;
    // only the store can decide whether another token is valid
    if (record.digest !== digest || now - record.lastActivityAt >= interval) return undefined;
    return record.expiresAt > now && !this.#isTokenDue(record, now) ? copyRecord(record) : undefined;
  }

  /** A store read for a session begins now. Returns undefined while no session can be kept. */
  fillSent(handle: string): Fill | undefined {
    if (!this.#protocol.state.isLinked) return undefined;
    const fill = this.#protocol.fillSent(handle, this.instant());
    if (this.#timer === undefined && !this.#isBeating) this.#beat();
    return fill;
  }

  /** The store has found a live session. */
  fillBack(fill: Fill, record: SessionRecord): FillOutcome {
    const { expiresAt, lastActivityAt } = record;
    const dueAt = Math.min(expiresAt, lastActivityAt + this.lifetime.touchInterval);
    return this.#protocol.fillBack(fill, { record: ownCopyOf(record), dueAt }, this.instant());
  }

  /** The store has found no live session, or failed. */
  fillOver(fill: Fill): void {
    this.#protocol.fillOver(fill);
  }

  /**
   * Resolves when no node serves from its memory what had ended or changed before the call: see
   * {@link NearCacheNodes.settle}.
   */
  async settle(): Promise<void> {
    await this.#nodes?.settle();
  }

  /** This node has ended or changed a session. */
  drop(handle: string): void {
    this.#protocol.drop(handle);
  }

  /** This node has ended or changed sessions of a user. */
  dropUser(userId: string): void {
    this.#protocol.dropWhere(({ record }) => record.userId === userId);
  }

  /** The sessions of the realm have ended, on this node or another one. */
  dropAll(): void {
    this.#protocol.dropWhere(() => true);
  }

  #hear(signal: SessionSignal): void {
    if (signal.type === 'all_ended') this.dropAll();
    else this.#protocol.drop(signal.id);
  }

  /**
   * Whether the token of a session must be replaced, or is being replaced. The request then needs the stored record.
   */
  #isTokenDue(record: SessionRecord, now: number): boolean {
    const { rotatedAt, tokens } = record;
    const { rotateEvery = Infinity } = this.lifetime;
    if (rotatedAt === 0 || now - rotatedAt >= rotateEvery || haveRolesChanged(record)) return true;
    return tokens !== undefined && tokens.some(({ kind }) => kind === 'successor');
  }

  #linked(): void {
    this.#isLinked = true;
    const { refusal } = this;
    if (refusal !== undefined)
      this.#logger.error(`nearCache: every session is read from the store: the storage is ${refusal}`);
    else if (this.#nodes === undefined) this.#protocol.linked();
    else this.#nodes.linked();
  }

  #unlinked(): void {
    this.#isLinked = false;
    this.#protocol.unlinked();
    this.#nodes?.unlinked();
  }

  #beat(): void {
    this.#timer = undefined;
    if (!this.#isOpen) return;
    this.#forgetWhatIsDue();
    // the next fill goes on
    if (!this.#protocol.isInUse) return;
    this.#nodes?.renew();
    this.#isBeating = true;
    const beat = this.#protocol.beatSent(this.instant());
    this.link
      .prove()
      .then(
        () => this.#protocol.beatBack(beat, this.instant()),
        // the link itself reports that it is lost
        () => undefined,
      )
      .finally(() => {
        this.#isBeating = false;
        const rest = beat.sent.monotonic + this.#pause - this.instant().monotonic;
        if (this.#isOpen) this.#timer = setTimeout(() => this.#beat(), Math.max(rest, 0)).unref();
      });
  }

  #forgetWhatIsDue(): void {
    const { monotonic } = this.instant();
    if (monotonic - this.#searchedAt < SEARCH_PAUSE) return;
    this.#searchedAt = monotonic;
    const now = this.clock.now();
    this.#protocol.forget(({ dueAt }) => dueAt <= now);
  }
}

/** Copies a record with its texts, which may be slices: those would keep the whole header or reply in memory. */
function ownCopyOf(record: SessionRecord): SessionRecord {
  return copyRecord(JSON.parse(JSON.stringify(record)) as SessionRecord);
}

/** The clocks of this machine. */
export function systemInstant(): Instant {
  return { monotonic: performance.now(), wall: Date.now() };
}
