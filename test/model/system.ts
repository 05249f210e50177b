import {
  Clock,
  ConcurrentSessionsService,
  RememberMeService,
  SessionEventPublisher,
  type Admission,
  type SessionLifecycleService,
  type RememberMeTokenStore,
  type SessionEvent,
  type SessionStore,
} from 'nestjs-session-auth';
import { sessionServices } from '../../libs/session-auth/test/fixtures/session-services.js';
import { StoreDeadline } from '../../libs/session-auth/src/async/store-deadline.js';
import { KeyRing } from '../../libs/session-auth/src/crypto/key-ring.js';
import { StoredRememberedDevices } from '../../libs/session-auth/src/remember-me/stored-remembered-devices.js';
import type { ModelSettings } from './reference-session.js';

/** The stores that one node of the application works with. */
export interface NodeStores {
  readonly sessions: SessionStore;
  readonly tokens: RememberMeTokenStore;
}

/** Where sessions are kept during one run: empty at its beginning. */
export interface Backend {
  /** The stores of a node that starts now; nodes 0 and 1 share nothing but the backend. */
  readonly connect: (node: 0 | 1) => NodeStores;
  /** The shortest step of time: what expires by the backend's own clock needs a distance to it. */
  readonly tick: number;
  /** Whether expired sessions go by themselves and by being looked at, without a word. */
  readonly expiresByItself: boolean;
  /** What is kept, looked at past the store. */
  readonly inside: () => Promise<Inside>;
}

/** What a backend keeps. */
export interface Inside {
  /** How many session records, or the handle of each. */
  readonly records: number | readonly string[];
  /** The handles in the users' indexes; undefined where records are their own index. */
  readonly indexed?: readonly string[];
  /** What should not be there at all, in words. */
  readonly faults: readonly string[];
}

/** Time that stands still until it is moved on. */
export class SteadyClock extends Clock {
  constructor(public time: number) {
    super();
  }

  now(): number {
    return this.time;
  }
}

/** One node of the application: everything in it is lost when it crashes. */
export class ApplicationNode {
  readonly lifecycle: SessionLifecycleService;
  readonly concurrent: ConcurrentSessionsService;
  readonly rememberMe: RememberMeService;

  constructor(
    readonly stores: NodeStores,
    settings: ModelSettings,
    clock: Clock,
    limits: (userId: string) => Admission,
    hear: (event: SessionEvent) => void,
  ) {
    const events = new SessionEventPublisher(clock, { record: hear });
    const storeTimeout = 20_000;
    const deadline = new StoreDeadline(storeTimeout);
    const { idle, absolute, touchInterval, rotationGrace, maxDataSize } = settings;
    const lifetime = { idle, absolute, touchInterval, rotationGrace, rotateEvery: undefined };
    const concurrency = { onLimit: 'reject', max: (user: { id: string | number }) => limits(String(user.id)) } as const;
    ({ lifecycle: this.lifecycle } = sessionServices({
      store: stores.sessions,
      clock,
      events,
      lifetime,
      limit: concurrency,
      maxDataSize,
      storeTimeout,
      devices: new StoredRememberedDevices(stores.tokens, clock, deadline, settings.rememberMe),
    }));
    this.concurrent = new ConcurrentSessionsService(this.lifecycle, concurrency);
    this.rememberMe = new RememberMeService(
      stores.tokens,
      this.lifecycle,
      clock,
      events,
      deadline,
      new KeyRing(['the secret that all nodes of the model share']),
      settings.rememberMe,
    );
  }
}

/** An application of two nodes on one backend. */
export class System {
  readonly clock: SteadyClock;
  readonly limits = new Map<string, Admission>();
  /** What was published since it was last asked for. */
  heard: SessionEvent[] = [];
  readonly #nodes: ApplicationNode[];

  constructor(
    readonly backend: Backend,
    readonly settings: ModelSettings,
    startsAt: number,
  ) {
    this.clock = new SteadyClock(startsAt);
    this.#nodes = [this.#start(0), this.#start(1)];
  }

  node(which: 0 | 1): ApplicationNode {
    return this.#nodes[which]!;
  }

  /** A node loses all it knows and is started again. */
  crash(which: 0 | 1): void {
    this.#nodes[which] = this.#start(which);
  }

  limitOf(userId: string): Admission {
    return this.limits.get(userId) ?? { max: 3, onLimit: 'evict-oldest' };
  }

  #start(which: 0 | 1): ApplicationNode {
    return new ApplicationNode(
      this.backend.connect(which),
      this.settings,
      this.clock,
      (userId) => this.limitOf(userId),
      (event) => this.heard.push(event),
    );
  }
}
