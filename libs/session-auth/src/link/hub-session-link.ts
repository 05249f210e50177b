import {
  SessionLink,
  type SessionLinkObserver,
  type SessionSignal,
  type WatchOptions,
} from '../session/session-link.js';
import type { LinkHub } from './link-hub.js';
import type { NodeMessage, NodeRegistry, RegisteredLink } from './node-registry.js';

/** The link of one realm, on the connection that all realms of a node share. */
export class HubSessionLink extends SessionLink implements RegisteredLink {
  #isInUse = false;

  constructor(
    private readonly hub: LinkHub,
    private readonly realm: string,
  ) {
    super();
    hub.join(realm);
  }

  override get isHealthy(): boolean {
    return this.#isInUse && this.hub.isHealthy;
  }

  get registry(): NodeRegistry | undefined {
    return this.hub.registryOf(this.realm);
  }

  attend(listener: (message: NodeMessage) => void): () => void {
    return this.hub.attend(this.realm, listener);
  }

  override open(): Promise<void> {
    this.#use();
    return this.hub.open();
  }

  override get unprovable(): string | undefined {
    return this.hub.unprovable;
  }

  override prove(): Promise<void> {
    return this.hub.prove();
  }

  override watch(listener: (signal: SessionSignal) => void, options?: WatchOptions): () => void {
    const unwatch = this.hub.watch(this.realm, listener, options);
    // observers learn when it works; a link in use tries again by itself
    if (!this.#isInUse) void this.open().catch(() => undefined);
    return unwatch;
  }

  override observe(observer: SessionLinkObserver): () => void {
    return this.hub.observe(observer);
  }

  override close(): Promise<void> {
    if (this.#isInUse) this.hub.release();
    this.#isInUse = false;
    return Promise.resolve();
  }

  #use(): void {
    if (!this.#isInUse) this.hub.acquire();
    this.#isInUse = true;
  }
}
