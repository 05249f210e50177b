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
  /** False when another node was running and this one did nothing. */
  readonly ran: boolean;
  /**
   * Sessions that had expired, and were reported as `session.expired`; and sessions of those that
   * `session.all_ended` had reported.
   */
  readonly sessions: number;
  /** Rows of other kinds by name, such as `rememberMeTokens` and `auditEvents`. */
  readonly others: Readonly<Record<string, number>>;
  readonly milliseconds: number;
}

/** A step that takes longer counts as failed: the run ends, and the next run continues. */
const STEP_TIMEOUT = MINUTE;

/** The random part of an interval, so that nodes that start together do not sweep together. */
const JITTER = 0.1;

/**
 * Removes expired records: every `cleanup.every`, or when `run` is called, for example from the application's own cron
 * with `cleanup: false`.
 *
 * A run proceeds in steps of `cleanup.batch` until nothing is left; other work runs between steps. One process never
 * has two runs at a time, and with a store that has `withCleanupLock`, neither do two nodes. The timers keep no process
 * alive, and shutdown waits only for the current step. Redis expires records by itself, so a run finds nothing there.
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
    // the first run starts at a random time within the first interval, because applications restart together
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
   * Removes everything that has expired by now. A call during a run returns the report of that run.
   *
   * @throws SessionAuthError `session_store_unavailable` when a store fails; expired records of the other stores are
   *   removed nevertheless
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
        this.#logger.log(`removed expired records in ${milliseconds} ms: ${removed}`);
      }
    } catch (error) {
      this.#logger.error('the cleanup failed; the next run continues', stackOf(error));
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

  /** Sweeps one kind of rows after the other. A kind that fails does not stop the others. */
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
      for (const session of ended) if (session.isReported !== true) this.#publishExpired(session);
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
