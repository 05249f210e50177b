import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleDestroy,
} from '@nestjs/common';
import { stackOf } from '../errors/stack-of.js';
import { StoreDeadline } from '../async/store-deadline.js';
import { SessionEventPublisher } from '../events/event-publisher.js';
import { Clock } from '../time/clock.js';
import { MINUTE } from '../time/units.js';
import { CLEANUP_SETTINGS, type CleanupSettings } from './cleanup.options.js';
import { EXPIRING_ROWS, type ExpiringRows } from './expiring-rows.js';
import { SessionStore, type EndedSession } from './session-store.js';

/** What one run of {@link SessionCleanupService} removed. */
export interface CleanupReport {
  /** False when another node was at it and nothing was done here. */
  readonly ran: boolean;
  /** Sessions that had expired: a `session.expired` event was published for each. */
  readonly sessions: number;
  /** Rows of other kinds by name, such as `rememberMeTokens` and `auditEvents`. */
  readonly others: Readonly<Record<string, number>>;
  readonly milliseconds: number;
}

/** A step that takes longer has failed: the run ends, the next one goes on. */
const STEP_TIMEOUT = MINUTE;

/** How far the time between two runs strays to either side, so that nodes started together do not sweep together. */
const JITTER = 0.1;

/**
 * Removes what has expired: by itself every `cleanup.every`, or when `run` is called, for example from the
 * application's own cron with `cleanup: false`.
 *
 * A run goes on in steps of `cleanup.batch` until nothing is left; between steps other work gets its turn. One process
 * never runs two at a time, and with a store that has `withCleanupLock` neither do two nodes. Its timers keep no
 * process alive, and shutting down waits for the step under way and no longer. Redis expires by itself: there a run
 * finds nothing.
 */
@Injectable()
export class SessionCleanupService implements OnApplicationBootstrap, OnModuleDestroy, OnApplicationShutdown {
  readonly #logger = new Logger('SessionCleanup');
  readonly #deadline = new StoreDeadline(STEP_TIMEOUT);
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<CleanupReport> | undefined;
  #stopping = false;

  constructor(
    private readonly store: SessionStore,
    private readonly clock: Clock,
    private readonly events: SessionEventPublisher,
    @Inject(CLEANUP_SETTINGS) private readonly settings: CleanupSettings,
    @Inject(EXPIRING_ROWS) private readonly others: Readonly<Record<string, ExpiringRows>>,
  ) {}

  onApplicationBootstrap(): void {
    // the first run comes at any time within the first interval: applications restart together
    this.#schedule((every, random) => every * random);
  }

  async onModuleDestroy(): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#timer);
    await this.#running?.catch(() => undefined);
  }

  onApplicationShutdown(): Promise<void> {
    return this.onModuleDestroy();
  }

  /**
   * Removes everything that has expired by now. A call during a run answers with that one's report.
   *
   * @throws SessionAuthError `session_store_unavailable` when a store fails; what was removed stays removed, and what the
   *   other stores keep is removed all the same
   */
  run(): Promise<CleanupReport> {
    this.#running ??= this.#runOnce().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  #schedule(delay: (every: number, random: number) => number): void {
    const { every } = this.settings;
    if (every === undefined || this.#stopping) return;
    this.#timer = setTimeout(() => void this.#tick(), Math.max(delay(every, Math.random()), 1));
    this.#timer.unref();
  }

  async #tick(): Promise<void> {
    try {
      const { sessions, others, milliseconds } = await this.run();
      const counts = Object.entries({ sessions, ...others }).filter(([, count]) => count > 0);
      if (counts.length > 0) {
        const removed = counts.map(([name, count]) => `${count} ${name}`).join(', ');
        this.#logger.log(`removed what had expired in ${milliseconds} ms: ${removed}`);
      }
    } catch (error) {
      this.#logger.error('the cleanup failed; the next one goes on', stackOf(error));
    }
    this.#schedule((every, random) => every * (1 - JITTER + 2 * JITTER * random));
  }

  async #runOnce(): Promise<CleanupReport> {
    const { store, clock } = this;
    const startedAt = clock.now();
    const sweep = (): Promise<Pick<CleanupReport, 'sessions' | 'others'>> => this.#sweep();
    const swept = store.withCleanupLock === undefined ? await sweep() : await store.withCleanupLock(sweep);
    const milliseconds = clock.now() - startedAt;
    return { ran: swept !== undefined, ...(swept ?? { sessions: 0, others: {} }), milliseconds };
  }

  /** One kind of rows after the other; a kind that fails keeps none of the others from being swept. */
  async #sweep(): Promise<Pick<CleanupReport, 'sessions' | 'others'>> {
    const failures: unknown[] = [];
    const inSteps = async (step: (now: number, limit: number) => Promise<number>): Promise<number> => {
      try {
        return await this.#inSteps(step);
      } catch (error) {
        failures.push(error);
        return 0;
      }
    };
    const sessions = await inSteps(async (now, limit) => {
      const ended = await this.store.deleteExpired(now, limit);
      for (const session of ended) this.#publishExpired(session);
      return ended.length;
    });
    const counts: Record<string, number> = {};
    for (const [name, rows] of Object.entries(this.others)) {
      counts[name] = await inSteps((now, limit) => rows.deleteExpired(now, limit));
    }
    if (failures.length > 0) throw failures[0];
    return { sessions, others: counts };
  }

  async #inSteps(step: (now: number, limit: number) => Promise<number>): Promise<number> {
    const { batch } = this.settings;
    let removed = 0;
    for (let last = batch; last >= batch && !this.#stopping;) {
      last = await this.#deadline.run(() => step(this.clock.now(), batch));
      removed += last;
      await new Promise((resolve) => setImmediate(resolve));
    }
    return removed;
  }

  #publishExpired(ended: EndedSession): void {
    this.events.publish({ type: 'session.expired', sessionId: ended.id, userId: ended.userId });
  }
}
