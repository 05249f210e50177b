import { createHmac, timingSafeEqual } from 'node:crypto';
import { LruCache } from '../cache/lru-cache.js';
import type { KeyRing } from '../crypto/key-ring.js';
import {
  CUSTOM,
  type FingerprintPolicy,
  type FingerprintRequest,
  type FingerprintSignal,
} from './fingerprint.options.js';

/** A client that does not look like the one that logged in. */
export interface FingerprintMismatch {
  /** The names of the signals that differ. */
  readonly signals: readonly string[];
  /** The strictest policy of the signals that differ. */
  readonly action: FingerprintPolicy;
}

const TAG_LENGTH = 4;
const DIGEST_LENGTH = 16;
const CHUNK_LENGTH = TAG_LENGTH + DIGEST_LENGTH;

const REMEMBERED = 256;
const LONGEST = 1024;
const REPORTED = 4096;

const SEVERITY: readonly FingerprintPolicy[] = ['report', 'reject', 'destroy'];

/** A key of the ring with the signals' names under it. */
interface FingerprintKey {
  readonly key: Buffer;
  readonly tags: readonly string[];
}

/**
 * The traits of a client as keyed digests, one for each signal. So the store does not reveal the traits, and each
 * signal can be judged separately.
 *
 * The text has 20 characters for each signal: 4 that name it and the key, and 96 bits of HMAC-SHA-256. Every key of the
 * ring is accepted. A signal that was not known at login is not compared. Neither is one that was compared differently,
 * or whose key has left the ring: a change of options or keys signs nobody out.
 *
 * Browsers do not send the same headers in every request, and none of their habits may sign a user out:
 *
 * - Media elements, range requests and WebSocket handshakes accept other encodings (`identity;q=1, *;q=0`), and a
 *   cached compression dictionary adds `dcb` and `dcz`. `Accept-Encoding` is not compared in the former, and the latter
 *   are removed.
 * - Requests that the browser makes for itself (a service worker's script, a manifest) may lack `Accept-Language` and
 *   `Accept-Encoding`. Neither is compared there.
 * - A script may set `Accept-Language`. A mismatch in a script's request is refused, but ends no session.
 * - Apple's media player has its own `User-Agent`. It is refused, but ends no session.
 *
 * A thief can imitate such a request, for example by sending a `Range`, so that a weak signal is skipped. That is why
 * each signal has its own digest: the others are still compared, `User-Agent` always. Only GET and HEAD requests get
 * these exceptions; requests that change something are compared in full.
 */
export class Fingerprint {
  /** Newest first. */
  readonly #ring: readonly FingerprintKey[];
  /** For the most recent headers: millions of clients share a few, and digests cost more than the rest of a request. */
  readonly #known: LruCache<string> | undefined;
  /** Recent reports, by session and signals. */
  readonly #reported = new LruCache<true>(REPORTED, LONGEST);

  constructor(
    keys: KeyRing,
    private readonly signals: readonly FingerprintSignal[],
  ) {
    this.#ring = keys.deriveKeys('fingerprint').map((key) => ({
      key,
      tags: signals.map(({ tag }) => macOf(key, `signal:${tag}`).slice(0, TAG_LENGTH)),
    }));
    this.#known = signals.every(({ isPure }) => isPure) ? new LruCache(REMEMBERED, LONGEST) : undefined;
  }

  /**
   * Returns the stored fingerprint of a client at login.
   *
   * @param isKnown whether a signal of this client is known; an unknown one is never compared. @default all are
   */
  of(request: FingerprintRequest, isKnown?: (signal: string) => boolean): string {
    if (this.#known === undefined || isKnown !== undefined) return this.#digest(request, isKnown);
    let headers = '';
    for (const signal of this.signals) {
      const value = request.headers[signal.name];
      headers += isSpared(signal, request) ? '~\n' : value === undefined ? '-\n' : `=${String(value)}\n`;
    }
    const known = this.#known.get(headers);
    if (known !== undefined) return known;
    const text = this.#digest(request);
    this.#known.set(headers, text);
    return text;
  }

  #digest(request: FingerprintRequest, isKnown: (signal: string) => boolean = () => true): string {
    const { key, tags } = this.#ring[0]!;
    let text = '';
    for (const [index, signal] of this.signals.entries()) {
      const value = isSpared(signal, request) || !isKnown(signal.name) ? undefined : signal.read(request);
      if (value !== undefined) text += tags[index] + digestOf(key, signal, value);
    }
    return text;
  }

  /**
   * Returns how a client differs from the stored fingerprint; undefined if it does not. A session from before the check
   * was switched on has no fingerprint, and matches every client.
   *
   * @param isPartial whether missing headers are not compared: a request that opens a connection has few headers
   */
  compare(stored: string | undefined, request: FingerprintRequest, isPartial = false): FingerprintMismatch | undefined {
    if (stored === undefined) return undefined;
    // the usual case: nothing was skipped, nothing differs
    if (isEqual(stored, this.of(request))) return undefined;
    const names: string[] = [];
    let severity = 0;
    for (const [index, signal] of this.signals.entries()) {
      if (isSpared(signal, request)) continue;
      if (isPartial && signal.name !== CUSTOM && request.headers[signal.name] === undefined) continue;
      const known = this.#find(stored, index);
      const value = known && signal.read(request);
      if (known === undefined || value === undefined) continue;
      if (isEqual(known.digest, digestOf(known.by.key, signal, value))) continue;
      names.push(signal.name);
      severity = Math.max(severity, SEVERITY.indexOf(policyOf(signal, request)));
    }
    return names.length === 0 ? undefined : { signals: names, action: SEVERITY[severity]! };
  }

  /**
   * Whether a mismatch should be reported. One that is only reported is reported once for each session and set of
   * signals, as far as this node remembers: a proxy that rewrites a header does so in every request.
   */
  isNews(sessionId: string, { signals, action }: FingerprintMismatch): boolean {
    if (action !== 'report') return true;
    const what = `${sessionId} ${signals.join()}`;
    if (this.#reported.get(what) !== undefined) return false;
    this.#reported.set(what, true);
    return true;
  }

  /** Returns the stored digest of a signal, with its key. */
  #find(stored: string, index: number): { readonly by: FingerprintKey; readonly digest: string } | undefined {
    for (const by of this.#ring) {
      const digest = chunkIn(stored, by.tags[index]!);
      if (digest !== undefined) return { by, digest };
    }
    return undefined;
  }
}

function digestOf(key: Buffer, { name }: FingerprintSignal, value: string): string {
  return macOf(key, `value:${name}:${value}`).slice(0, DIGEST_LENGTH);
}

/** Compares in a time that depends on the lengths only (ASVS 11.2.4). */
function isEqual(left: string, right: string): boolean {
  const [one, other] = [Buffer.from(left), Buffer.from(right)];
  return one.length === other.length && timingSafeEqual(one, other);
}

function macOf(key: Buffer, text: string): string {
  return createHmac('sha256', key).update(text).digest('base64url');
}

function chunkIn(stored: string, tag: string): string | undefined {
  for (let at = 0; at + CHUNK_LENGTH <= stored.length; at += CHUNK_LENGTH) {
    if (stored.startsWith(tag, at)) return stored.slice(at + TAG_LENGTH, at + CHUNK_LENGTH);
  }
  return undefined;
}

const MEDIA = new Set(['audio', 'video', 'track']);
const BROWSERS_OWN = new Set(['serviceworker', 'manifest', 'webidentity']);

/** Whether browsers are known to send another value of this header in requests like this one. */
function isSpared({ name, always }: FingerprintSignal, { headers, method }: FingerprintRequest): boolean {
  if (always || (name !== 'accept-encoding' && name !== 'accept-language')) return false;
  if (method !== 'GET' && method !== 'HEAD') return false;
  const destination = headers['sec-fetch-dest'];
  if (typeof destination === 'string' && BROWSERS_OWN.has(destination)) return true;
  if (name !== 'accept-encoding') return false;
  return (
    headers.range !== undefined ||
    headers.upgrade?.toLowerCase() === 'websocket' ||
    (typeof destination === 'string' && MEDIA.has(destination))
  );
}

/** Returns the signal's policy. If the mismatch may come from an honest client, the session does not end. */
function policyOf({ name, always, onMismatch }: FingerprintSignal, { headers }: FingerprintRequest): FingerprintPolicy {
  if (always || onMismatch !== 'destroy') return onMismatch;
  const isScriptsChoice = name === 'accept-language' && headers['sec-fetch-dest'] === 'empty';
  const isNativePlayer = name === 'user-agent' && headers['user-agent']?.startsWith('AppleCoreMedia/') === true;
  return isScriptsChoice || isNativePlayer ? 'reject' : 'destroy';
}
