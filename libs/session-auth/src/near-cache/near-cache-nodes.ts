import { randomBytes } from 'node:crypto';
import { within } from '../link/link-transport.js';
import { LEASE_LIFE, type NodeLease, type NodeMessage, type NodeRegistry } from '../link/node-registry.js';
import { SessionAuthError } from '../errors/session-auth.error.js';
import type { Instant } from './near-cache-protocol.js';
import { WaitProtocol, type Wait } from './wait-protocol.js';

/** Milliseconds that entering the registry may take. */
const ENTER_TIMEOUT = 2000;

/** Milliseconds until the next attempt to enter the registry. */
const ENTER_AGAIN = 500;

/** Milliseconds that leaving the registry may take while the application is closed. */
const LEAVE_TIMEOUT = 500;

/** How often in a row a node may fail to respond before its lease is revoked. */
const PATIENCE = 4;

/** What a node does with its lease. */
export interface LeaseHolder {
  /** The lease is in the registry: from now on sessions may be kept. */
  joined(): void;
  /** The lease is not valid any more: nothing that was kept may be served. */
  left(): void;
  /** The link may be dead without knowing it. */
  doubt(): void;
}

/** The node's own lease. */
interface HeldLease extends NodeLease {
  /** When it was sent to the registry, which has confirmed it; undefined until then. */
  enteredAt?: Instant;
  /** A renewal that is under way. */
  isRenewing?: boolean;
  wasRenewed?: boolean;
}

/**
 * Keeps the lease of this node in the registry of its realm, confirms the questions of other nodes, and waits for them.
 * {@link WaitProtocol} has the rules; this class does the I/O.
 */
export class NearCacheNodes {
  readonly #name = randomBytes(9).toString('base64url');
  readonly #waiter: WaitProtocol;
  readonly #waits = new Map<string, { readonly wait: Wait; readonly look: () => void }>();
  readonly #suspects = new Set<string>();
  #terms = 0;
  #questions = 0;
  #isOpen = true;
  /** The lease that is being entered or has been. */
  #lease: HeldLease | undefined;
  #entering: Promise<void> = Promise.resolve();
  /** The time after which the registry is known to have lost no lease. */
  #completeSince = -Infinity;
  /** Whether it may have lost leases since then. */
  #isDoubtful = false;
  #again: NodeJS.Timeout | undefined;
  #nextQuestion: Promise<unknown> | undefined;

  constructor(
    private readonly registry: NodeRegistry,
    private readonly bound: number,
    private readonly holder: LeaseHolder,
    private readonly instant: () => Instant,
  ) {
    this.#waiter = new WaitProtocol(this.#name, bound);
  }

  /**
   * Resolves when the lease is in the registry, or the attempt has failed and will be repeated.
   *
   * @throws SessionAuthError `invalid_configuration` when the rights are missing
   */
  get entered(): Promise<void> {
    return this.#entering;
  }

  /** The link works: everything that is published from now on is heard. */
  linked(): void {
    this.#leave();
    this.#enter();
  }

  unlinked(): void {
    this.#isDoubtful = true;
    this.#leave();
  }

  heard(message: NodeMessage): void {
    if (message.type === 'confirmed') return this.#confirmed(message.question, message.node);
    if (message.type === 'entered') return this.#waiter.entered(message);
    if (message.type === 'revoked' || message.type === 'emptied') return this.#heardOf(message.type, message.lease);
    if (this.#waits.has(message.question)) return this.#confirmed(message.question, this.#name);
    if (this.#isOpen) this.registry.confirm(message.question, this.#name).catch(() => undefined);
  }

  /** Renews the lease if it is due. A node calls it before it sends a heartbeat. */
  renew(): void {
    const lease = this.#lease;
    if (lease?.enteredAt === undefined) return;
    const now = this.instant();
    const age = Math.max(now.monotonic - lease.enteredAt.monotonic, now.wall - lease.enteredAt.wall);
    if (age > LEASE_LIFE) return this.linked();
    if (age < LEASE_LIFE / 2 || lease.isRenewing === true) return;
    lease.isRenewing = true;
    lease.wasRenewed = true;
    const renewed = this.registry.enter({ id: lease.id, bound: lease.bound }, undefined).then(
      () => (lease.enteredAt = now),
      () => undefined,
    );
    void renewed.finally(() => (lease.isRenewing = false));
  }

  /**
   * Resolves when no node serves from its memory what had ended or changed before the call. Takes at most the longest
   * bound of the nodes, and never rejects.
   */
  settle(): Promise<unknown> {
    // one question for all that ends in this turn of the event loop
    this.#nextQuestion ??= new Promise((resolve) => {
      setImmediate(() => {
        this.#nextQuestion = undefined;
        resolve(this.#ask());
      });
    });
    return this.#nextQuestion;
  }

  async close(): Promise<void> {
    this.#isOpen = false;
    const lease = this.#lease;
    this.#leave();
    if (lease === undefined) return;
    await within(LEAVE_TIMEOUT, 'leaving the registry', this.registry.remove(lease.id)).catch(() => undefined);
  }

  #heardOf(type: 'revoked' | 'emptied', id: string): void {
    const lease = this.#lease;
    if (lease === undefined) return;
    const isOwn = id === lease.id;
    if (type === 'revoked') {
      if (isOwn) this.linked();
    } else if (!isOwn) {
      // before it was entered, this node relied on nothing
      if (lease.enteredAt !== undefined) this.#isDoubtful = true;
      this.linked();
    } else if (lease.wasRenewed === true) {
      // the other leases are lost
      this.#completeSince = this.instant().monotonic;
      this.#waiter.joined(id, [], this.#completeSince);
    }
  }

  #leave(): void {
    clearTimeout(this.#again);
    const wasEntered = this.#lease?.enteredAt !== undefined;
    this.#lease = undefined;
    this.#waiter.left();
    if (wasEntered) this.holder.left();
  }

  #enter(): void {
    if (!this.#isOpen) return;
    const previous = this.#terms === 0 ? undefined : this.#idOf(this.#terms);
    this.#terms += 1;
    const lease: HeldLease = { id: this.#idOf(this.#terms), bound: this.bound };
    this.#lease = lease;
    const sent = this.instant();
    const entering = within(ENTER_TIMEOUT, 'entering the registry', this.registry.enter(lease, previous));
    this.#entering = entering.then(
      (leases) => {
        // the link was lost, or the lease revoked
        if (this.#lease !== lease) return;
        lease.enteredAt = sent;
        if (this.#isDoubtful) this.#completeSince = this.instant().monotonic;
        this.#isDoubtful = false;
        this.#waiter.joined(lease.id, leases, this.#completeSince);
        this.holder.joined();
      },
      (error: unknown) => {
        if (this.#lease !== lease) return;
        this.#again = setTimeout(() => this.linked(), ENTER_AGAIN).unref();
        if (error instanceof SessionAuthError && error.code === 'invalid_configuration') throw error;
      },
    );
    // a caller of `entered` gets the error; without a caller it is not unhandled
    this.#entering.catch(() => undefined);
  }

  #idOf(term: number): string {
    return `${this.#name}.${term}`;
  }

  #confirmed(question: string, node: string): void {
    const waiting = this.#waits.get(question);
    waiting?.wait.confirmed.add(node);
    waiting?.look();
  }

  /** Asks all nodes, and waits until the confirmations or the time suffice. */
  async #ask(): Promise<Wait> {
    this.renew();
    const question = `${this.#name}.${(this.#questions += 1)}`;
    const wait = this.#waiter.asked(question, this.instant().monotonic);
    await new Promise<void>((resolve) => {
      let timer: NodeJS.Timeout | undefined;
      let isOver = false;
      const look = (): void => {
        if (isOver) return;
        clearTimeout(timer);
        const now = this.instant().monotonic;
        isOver = this.#waiter.isOver(wait, now);
        if (isOver) return resolve();
        timer = setTimeout(look, Math.max(this.#waiter.endOf(wait) - now, 0) + 1).unref();
      };
      this.#waits.set(question, { wait, look });
      look();
      this.registry.ask(question).then(
        (leases) => {
          this.#waiter.read(wait, leases);
          look();
        },
        // it waits as long as the last reading says
        () => undefined,
      );
    });
    this.#waits.delete(question);
    this.#waiter.finished(wait);
    this.#judge(wait);
    return wait;
  }

  /** Finds out why a wait took its time. */
  #judge(wait: Wait): void {
    const { own } = this.#waiter.state;
    if (!this.#isOpen || wait.leases === undefined) return;
    if (!wait.confirmed.has(this.#name)) this.holder.doubt();
    if (own === undefined && this.#lease?.enteredAt !== undefined) {
      // the registry has lost the lease
      this.#isDoubtful = true;
      return this.linked();
    }
    for (const lease of this.#waiter.silent(wait)) if (!this.#suspects.has(lease.id)) void this.#pursue(lease);
  }

  /** Removes the lease of a node that does not respond, so that later ends do not wait for it. */
  async #pursue(lease: NodeLease): Promise<void> {
    this.#suspects.add(lease.id);
    try {
      for (let asked = 1; asked < PATIENCE; asked += 1) {
        const wait = await this.#ask();
        if (!this.#isOpen || this.#waiter.silent(wait).every(({ id }) => id !== lease.id)) return;
      }
      await this.registry.revoke(lease.id);
      const revoked = this.instant().monotonic;
      while (!this.#waiter.isRemovable(lease, revoked, this.instant().monotonic)) {
        await new Promise((resolve) => setTimeout(resolve, lease.bound).unref());
      }
      await this.registry.remove(lease.id);
    } catch {
      // the next end finds it again
    } finally {
      this.#suspects.delete(lease.id);
    }
  }
}
