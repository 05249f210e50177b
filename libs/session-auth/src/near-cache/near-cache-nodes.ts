import { randomBytes } from 'node:crypto';
import type { NodeLease, NodeMessage, NodeRegistry } from '../link/node-registry.js';
import type { Instant } from './near-cache-protocol.js';
import { OwnLease, type LeaseHolder } from './own-lease.js';
import { WaitProtocol, type Wait } from './wait-protocol.js';

/** How often in a row a node may fail to respond before its lease is revoked. */
const PATIENCE = 4;

/**
 * Keeps a lease of this node in the registry of its realm, confirms the questions of other nodes, and waits for them.
 * {@link WaitProtocol} has the rules; this class does the I/O.
 */
export class NearCacheNodes {
  readonly #name = randomBytes(9).toString('base64url');
  readonly #waiter: WaitProtocol;
  readonly #lease: OwnLease;
  readonly #waits = new Map<string, { readonly wait: Wait; readonly look: () => void }>();
  readonly #suspects = new Set<string>();
  #questions = 0;
  #isOpen = true;
  #nextQuestion: Promise<unknown> | undefined;

  constructor(
    private readonly registry: NodeRegistry,
    bound: number,
    private readonly holder: LeaseHolder,
    private readonly instant: () => Instant,
  ) {
    this.#waiter = new WaitProtocol(this.#name, bound);
    this.#lease = new OwnLease(this.#name, bound, registry, this.#waiter, holder, instant);
  }

  /**
   * Resolves when the lease is in the registry, or the attempt has failed and will be repeated.
   *
   * @throws SessionAuthError `invalid_configuration` when the rights are missing
   */
  get entered(): Promise<void> {
    return this.#lease.entered;
  }

  /** The link works: everything that is published from now on is heard. */
  linked(): void {
    this.#lease.enter();
  }

  unlinked(): void {
    this.#lease.leave();
  }

  heard(message: NodeMessage): void {
    if (message.type === 'confirmed') return this.#confirmed(message.question, message.node);
    if (message.type === 'entered') return this.#waiter.entered(message);
    if (message.type === 'revoked') return this.#lease.revoked(message.lease);
    if (message.type === 'emptied') return this.#lease.emptied(message.lease);
    if (this.#waits.has(message.question)) return this.#confirmed(message.question, this.#name);
    if (this.#isOpen) this.registry.confirm(message.question, this.#name).catch(() => undefined);
  }

  /** Renews the lease if it is due. A node calls it before it sends a heartbeat. */
  renew(): void {
    this.#lease.renew();
  }

  /**
   * Resolves when the registry can be relied on, so that no end waits for leases that it may have lost. At once unless
   * it is new; at the latest after the longest bound.
   */
  async reliable(): Promise<void> {
    const rest = this.#waiter.reliableFrom - this.instant().monotonic;
    if (rest <= 0 || !Number.isFinite(rest)) return;
    await new Promise((resolve) => setTimeout(resolve, rest + 1).unref());
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
    await this.#lease.close();
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
    // the registry has lost the lease
    if (own === undefined && this.#lease.isHeld) return this.linked();
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
