import { hash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { SessionEventPublisher } from '../events/event-publisher.js';
import { Clock } from '../time/clock.js';
import { clientNetwork, type ClientInfo } from '../users/client.js';
import { LruCache } from '../cache/lru-cache.js';

/** This many different session cookies that were not issued here, from one network in one window, raise one event. */
export const SUSPICIOUS_GUESSES = 100;
const WINDOW = 10 * 60_000;

/** Memory is bounded: with more networks, the one that began first is forgotten. */
const MAX_NETWORKS = 1000;
const MAX_ADDRESS = 64;

interface Suspect {
  readonly until: number;
  /** Prefixes of digests: a browser that sends the same dead cookie again and again is not guessing. */
  readonly guesses: Set<string>;
}

/**
 * Detects clients that send many made-up session cookies (OWASP Session Management, "Session ID Guessing and Brute
 * Force Detection"). No guess succeeds or costs a store call, so this only informs. Each process counts for itself, in
 * memory.
 */
@Injectable()
export class SessionGuessing {
  readonly #suspects = new Map<string, Suspect>();
  readonly #networks = new LruCache<string>(MAX_NETWORKS, MAX_ADDRESS);

  constructor(
    private readonly events: SessionEventPublisher,
    private readonly clock: Clock,
  ) {}

  /** Counts a session cookie that was refused. */
  add(cookie: string, client: ClientInfo): void {
    const network = this.#networks.of(client.ip ?? 'unknown', (address) =>
      clientNetwork(address).slice(0, MAX_ADDRESS),
    );
    const { guesses } = this.#suspectAt(network);
    if (guesses.size >= SUSPICIOUS_GUESSES) return;
    guesses.add(hash('sha256', cookie, 'base64url').slice(0, 8));
    if (guesses.size < SUSPICIOUS_GUESSES) return;
    this.events.publish({ type: 'session.guessing_suspected', refused: SUSPICIOUS_GUESSES, client });
  }

  #suspectAt(network: string): Suspect {
    const now = this.clock.now();
    const known = this.#suspects.get(network);
    if (known !== undefined && known.until > now) return known;
    const suspect = { until: now + WINDOW, guesses: new Set<string>() };
    // moves to the end: the map is ordered by the start of the windows
    this.#suspects.delete(network);
    this.#suspects.set(network, suspect);
    for (const first of this.#suspects.keys()) {
      if (this.#suspects.size <= MAX_NETWORKS) break;
      this.#suspects.delete(first);
    }
    return suspect;
  }
}
