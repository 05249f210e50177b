import {
  Clock,
  ConcurrentSessionsService,
  SessionEventPublisher,
  type Admission,
  type RememberMeTokenStore,
  type SessionEvent,
  type SessionStore,
  type SessionUser,
  type SessionUserId,
} from 'nestjs-session-auth';
import {
  rememberMeServices,
  type RememberMeServices,
} from '../../libs/session-auth/test/fixtures/remember-me-services.js';
import type { SessionServices } from '../../libs/session-auth/test/fixtures/session-services.js';
import { BEARER_TOKEN_LENGTH, BearerTokens } from '../../libs/session-auth/src/crypto/bearer-tokens.js';
import { KeyRing } from '../../libs/session-auth/src/crypto/key-ring.js';
import type { ModelSettings } from './reference-session.js';

/** Of the secret that all nodes share. */
const KEYS = new KeyRing(['the secret that all nodes of the model share']);
const BEARER_TOKENS = new BearerTokens(KEYS);

/** A token as the lifecycle service hands it out and takes it. */
export function bearerOf(token: string): string {
  return BEARER_TOKENS.write(token);
}

/** The same of somebody who has no secret. */
export function forgedBearer(token: string): string {
  return token.padEnd(BEARER_TOKEN_LENGTH, 'x');
}

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
  readonly lifecycle: SessionServices['lifecycle'];
  readonly reader: SessionServices['reader'];
  readonly changes: SessionServices['changes'];
  readonly rotation: SessionServices['rotation'];
  readonly concurrent: ConcurrentSessionsService;
  readonly rememberMe: RememberMeServices['rememberMe'];
  readonly signIns: RememberMeServices['signIns'];
  readonly revocation: RememberMeServices['revocation'];

  constructor(
    readonly stores: NodeStores,
    { settings, clock, accountOf, limitOf, hear }: NodeContext,
  ) {
    const { maxDataSize, rememberMe, ...lifetime } = settings;
    const limit = { onLimit: 'reject', max: (user: { id: SessionUserId }) => limitOf(String(user.id)) } as const;
    const services = rememberMeServices({
      store: stores.sessions,
      tokens: stores.tokens,
      clock,
      events: new SessionEventPublisher(clock, { record: hear }),
      lifetime,
      limit,
      maxDataSize,
      rememberMe,
      storeTimeout: 20_000,
      keys: KEYS,
      users: {
        findById: (id) => Promise.resolve(accountOf(id)),
        findByEmail: () => Promise.resolve(undefined),
      },
    });
    const { lifecycle, reader, changes, rotation } = services.sessions;
    this.lifecycle = lifecycle;
    this.reader = reader;
    this.changes = changes;
    this.rotation = rotation;
    this.concurrent = new ConcurrentSessionsService(lifecycle, limit);
    this.rememberMe = services.rememberMe;
    this.signIns = services.signIns;
    this.revocation = services.revocation;
  }
}

/** What the nodes of an application have in common, beside their stores. */
interface NodeContext {
  readonly settings: ModelSettings;
  readonly clock: Clock;
  readonly accountOf: (userId: string) => SessionUser;
  readonly limitOf: (userId: string) => Admission;
  readonly hear: (event: SessionEvent) => void;
}

/** An application of two nodes on one backend. */
export class System {
  readonly clock: SteadyClock;
  readonly limits = new Map<string, Admission>();
  readonly accounts = new Map<string, SessionUser>();
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

  account(userId: string): SessionUser {
    return this.accounts.get(userId) ?? { id: userId, roles: ['user'] };
  }

  #start(which: 0 | 1): ApplicationNode {
    return new ApplicationNode(this.backend.connect(which), {
      settings: this.settings,
      clock: this.clock,
      accountOf: (userId) => this.account(userId),
      limitOf: (userId) => this.limitOf(userId),
      hear: (event) => this.heard.push(event),
    });
  }
}
