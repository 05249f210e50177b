/*
 * Which nodes of a realm keep sessions in their memory, and what these nodes say to each other: a node that must know
 * that every other one has dropped a session reads the registry and asks.
 */

/** The right of a node to serve sessions from its memory, as the registry has it. */
export interface NodeLease {
  /** Name of the node and number of the lease: a node that has lost its lease enters with another one. */
  readonly id: string;
  /** The longest time for which the node may serve a session that has ended, in milliseconds. */
  readonly bound: number;
}

/** A message of one node to the others. It is sent on the channel of the signals, in order with them. */
export type NodeMessage =
  /** Have you received everything up to here? */
  | { readonly type: 'asked'; readonly question: string }
  /** This node has received it, and serves nothing that ended before the question. */
  | { readonly type: 'confirmed'; readonly question: string; readonly node: string }
  /** The lease is about to be removed, because its node does not respond. */
  | { readonly type: 'revoked'; readonly lease: string }
  /** A lease has been entered. */
  | { readonly type: 'entered'; readonly lease: string; readonly bound: number }
  /** The registry was new when the lease was entered, so all others are lost. */
  | { readonly type: 'emptied'; readonly lease: string };

/** What a registry has, and for how long. */
export interface RegistryReading {
  readonly leases: readonly NodeLease[];
  /**
   * The milliseconds for which the registry is known to have lost no lease, by the clock of the backend: since it was
   * made, or since the first lease that was entered after the server had been started or replaced.
   */
  readonly age: number;
}

/** The registry of one realm in a backend. */
export interface NodeRegistry {
  /**
   * Enters a lease, or renews it, and removes another one of the same node. The same step publishes that it has been
   * entered, and also if the registry is new. It notes when the registry was made.
   *
   * @throws SessionAuthError `invalid_configuration` when the rights are missing
   */
  enter(lease: NodeLease, previous: string | undefined): Promise<RegistryReading>;
  /** Asks all nodes, and returns all leases as of a moment between the call and the question. */
  ask(question: string): Promise<readonly NodeLease[]>;
  confirm(question: string, node: string): Promise<unknown>;
  /** Tells the node of a lease that it will be removed. */
  revoke(lease: string): Promise<unknown>;
  remove(lease: string): Promise<unknown>;
}

/** A link whose backend has a registry. */
export interface RegisteredLink {
  readonly registry: NodeRegistry | undefined;
  /** Calls a listener with each message of the nodes of the realm, until the returned function is called. */
  attend(listener: (message: NodeMessage) => void): () => void;
}

/** Milliseconds that the registry keeps a lease that is not renewed: long after its node stops relying on it. */
export const LEASE_KEPT = 2 * 3_600_000;

/** How long a node relies on its lease without renewing it, in milliseconds. */
export const LEASE_LIFE = LEASE_KEPT / 2;

/** Returns the name of the node that has a lease. */
export function nodeOf(lease: string): string {
  return lease.slice(0, lease.indexOf('.'));
}

/** Returns the message in the form of the link's other messages: a list, to be written as JSON. */
export function partsOfMessage(message: NodeMessage): readonly string[] {
  if (message.type === 'asked') return ['asked', message.question];
  if (message.type === 'confirmed') return ['confirmed', message.question, message.node];
  if (message.type === 'entered') return ['entered', message.lease, String(message.bound)];
  return [message.type, message.lease];
}

/** Returns the message of a list; undefined for any other message. */
export function messageOf([type, first, second]: readonly unknown[]): NodeMessage | undefined {
  if (typeof first !== 'string') return undefined;
  if (type === 'asked') return { type, question: first };
  if (type === 'confirmed' && typeof second === 'string') return { type, question: first, node: second };
  if (type === 'entered' && typeof second === 'string') return { type, lease: first, bound: Number(second) };
  return type === 'revoked' || type === 'emptied' ? { type, lease: first } : undefined;
}
