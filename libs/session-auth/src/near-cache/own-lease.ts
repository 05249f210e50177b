import { within } from '../link/link-transport.js';
import { LEASE_LIFE, type NodeLease, type NodeRegistry } from '../link/node-registry.js';
import { SessionAuthError } from '../errors/session-auth.error.js';
import type { Instant } from './near-cache-protocol.js';
import type { WaitProtocol } from './wait-protocol.js';

/** Milliseconds that entering the registry may take. */
const ENTER_TIMEOUT = 2000;

/** Milliseconds until the next attempt to enter the registry. */
const ENTER_AGAIN = 500;

/** Milliseconds that leaving the registry may take while the application is closed. */
const LEAVE_TIMEOUT = 500;

/** What a node does with its lease. */
export interface LeaseHolder {
  /** The lease is in the registry: from now on sessions may be kept. */
  joined(): void;
  /** The lease is not valid any more: nothing that was kept may be served. */
  left(): void;
  /** The link may be dead without knowing it. */
  doubt(): void;
}

interface HeldLease extends NodeLease {
  /** When it was sent to the registry, which has confirmed it; undefined until then. */
  enteredAt?: Instant;
  /** A renewal that is under way. */
  isRenewing?: boolean;
  wasRenewed?: boolean;
}

/** Keeps the lease of this node in the registry of its realm, and tells the rules of its waits what it finds there. */
export class OwnLease {
  #terms = 0;
  #isOpen = true;
  /** The lease that is being entered or has been. */
  #lease: HeldLease | undefined;
  #entering: Promise<void> = Promise.resolve();
  #again: NodeJS.Timeout | undefined;

  /** @param node the name of this node */
  constructor(
    private readonly node: string,
    private readonly bound: number,
    private readonly registry: NodeRegistry,
    private readonly waiter: WaitProtocol,
    private readonly holder: Pick<LeaseHolder, 'joined' | 'left'>,
    private readonly instant: () => Instant,
  ) {}

  /** As {@link NearCacheNodes.entered}. */
  get entered(): Promise<void> {
    return this.#entering;
  }

  /** Whether the registry has confirmed the lease. */
  get isHeld(): boolean {
    return this.#lease?.enteredAt !== undefined;
  }

  /** Enters the registry with a new lease: everything that is published from now on is heard. */
  enter(): void {
    this.leave();
    if (!this.#isOpen) return;
    const previous = this.#terms === 0 ? undefined : this.#idOf(this.#terms);
    this.#terms += 1;
    const lease: HeldLease = { id: this.#idOf(this.#terms), bound: this.bound };
    this.#lease = lease;
    const sent = this.instant();
    const entering = within(ENTER_TIMEOUT, 'entering the registry', this.registry.enter(lease, previous));
    this.#entering = entering.then(
      ({ leases, age }) => {
        // the link was lost, or the lease revoked
        if (this.#lease !== lease) return;
        lease.enteredAt = sent;
        this.waiter.joined(lease.id, leases, this.instant().monotonic - age);
        this.holder.joined();
      },
      (error: unknown) => {
        if (this.#lease !== lease) return;
        this.#again = setTimeout(() => this.enter(), ENTER_AGAIN).unref();
        if (error instanceof SessionAuthError && error.code === 'invalid_configuration') throw error;
      },
    );
    // a caller of `entered` gets the error; without a caller it is not unhandled
    this.#entering.catch(() => undefined);
  }

  /** The lease is not relied on any more. It stays in the registry until the next one is entered. */
  leave(): void {
    clearTimeout(this.#again);
    const { isHeld } = this;
    this.#lease = undefined;
    this.waiter.left();
    if (isHeld) this.holder.left();
  }

  /** Renews the lease if it is due. */
  renew(): void {
    const lease = this.#lease;
    if (lease?.enteredAt === undefined) return;
    const now = this.instant();
    const age = Math.max(now.monotonic - lease.enteredAt.monotonic, now.wall - lease.enteredAt.wall);
    if (age > LEASE_LIFE) return this.enter();
    if (age < LEASE_LIFE / 2 || lease.isRenewing === true) return;
    lease.isRenewing = true;
    lease.wasRenewed = true;
    const renewed = this.registry.enter({ id: lease.id, bound: lease.bound }, undefined).then(
      () => (lease.enteredAt = now),
      () => undefined,
    );
    void renewed.finally(() => (lease.isRenewing = false));
  }

  /** A lease is about to be removed. */
  revoked(id: string): void {
    if (id === this.#lease?.id) this.enter();
  }

  /** The registry was new when a lease was entered or renewed. */
  emptied(id: string): void {
    const lease = this.#lease;
    if (lease === undefined) return;
    if (id !== lease.id) return this.enter();
    // a renewal finds that the other leases are lost; when a lease is entered, the registry says so
    if (lease.wasRenewed === true) this.waiter.joined(id, [], this.instant().monotonic);
  }

  async close(): Promise<void> {
    this.#isOpen = false;
    const lease = this.#lease;
    this.leave();
    if (lease === undefined) return;
    await within(LEAVE_TIMEOUT, 'leaving the registry', this.registry.remove(lease.id)).catch(() => undefined);
  }

  #idOf(term: number): string {
    return `${this.node}.${term}`;
  }
}
