import type { IncomingHttpHeaders } from 'node:http';
import { OptionReader } from '../options/option-reader.js';
import { readHeader, type HeaderComparison } from './fingerprint-signals.js';

/**
 * What happens to a request whose client no longer looks like the one that logged in: `destroy` ends the session
 * (401), `reject` refuses the request and lets the session live (401), `report` only publishes the event.
 */
export type FingerprintPolicy = 'destroy' | 'reject' | 'report';

/** What a signal of the application's own is read from. */
export interface FingerprintRequest {
  readonly headers: IncomingHttpHeaders;
  /** By the adapter's own trust of proxies. */
  readonly ip?: string;
  readonly method: string;
}

/** A request header as a signal. */
export interface FingerprintHeaderOptions {
  /** The header's name. */
  readonly name: string;
  /**
   * `'exact'`, `'ignore-versions'` (digits count for nothing, so a browser's update is no other browser), or a
   * function that answers what is to be compared.
   *
   * @default 'exact'
   */
  readonly compare?: 'exact' | 'ignore-versions' | ((value: string) => string);
  /** @default the `onMismatch` of the whole */
  readonly onMismatch?: FingerprintPolicy;
  /**
   * Compare it on every request, also on those in which browsers are known to send another value.
   *
   * @default false
   */
  readonly always?: boolean;
}

/** A signal of the application's own, such as the country of the address. */
export interface FingerprintCustomOptions {
  /** Answers what is to be compared; undefined where nothing is known, which is never a mismatch. */
  readonly read: (request: FingerprintRequest) => string | undefined;
  /** @default the `onMismatch` of the whole */
  readonly onMismatch?: FingerprintPolicy;
}

/**
 * Which traits of the client a session is bound to. A hurdle, not a wall: whoever steals a cookie together with the
 * request it came in can send the same headers.
 */
export interface FingerprintOptions {
  /** @default ['user-agent', 'accept-language', 'accept-encoding'] */
  readonly headers?: readonly (string | FingerprintHeaderOptions)[];
  /** @default none */
  readonly custom?: FingerprintCustomOptions['read'] | FingerprintCustomOptions;
  /** @default 'destroy' */
  readonly onMismatch?: FingerprintPolicy;
}

/** One trait of the client. */
export interface FingerprintSignal {
  /** A header in lower case, or `custom`. */
  readonly name: string;
  readonly onMismatch: FingerprintPolicy;
  /** Compared also where browsers are known to send another value. */
  readonly always: boolean;
  /** Whether the header of the signal's name says it all: the same header always reads the same. */
  readonly isPure: boolean;
  /** What is compared; undefined: nothing is known, which is never a mismatch. */
  readonly read: (request: FingerprintRequest) => string | undefined;
}

/** Where the signals to compare are injected from, as {@link FingerprintSignal}s; undefined: the check is off. */
export const FINGERPRINT_SIGNALS = Symbol('nestjs-session-auth fingerprint signals');

const POLICIES: readonly FingerprintPolicy[] = ['destroy', 'reject', 'report'];
const DEFAULT_HEADERS = ['user-agent', 'accept-language', 'accept-encoding'];
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9a-z-]{1,100}$/i;

/** The slice `fingerprint` of the options: the signals to compare, or undefined where it is off. */
export function resolveFingerprint(root: OptionReader): readonly FingerprintSignal[] | undefined {
  if (root.get('fingerprint') === false) return undefined;
  const options = root.slice('fingerprint', ['headers', 'custom', 'onMismatch']);
  const fallback = options.oneOf('onMismatch', POLICIES, 'destroy');
  const given = options.get('headers', DEFAULT_HEADERS);
  if (!Array.isArray(given)) throw options.refuse('headers', 'an array of header names, or { name, … }');
  const signals = given.map((each: unknown, index) => headerSignal(options, `headers[${index}]`, each, fallback));
  const custom = customSignal(options, fallback);
  if (custom !== undefined) signals.push(custom);
  const names = new Set(signals.map(({ name }) => name));
  if (names.size !== signals.length) throw options.refuse('headers', 'each header once', 'one of them twice');
  return signals;
}

function headerSignal(
  options: OptionReader,
  key: string,
  given: unknown,
  fallback: FingerprintPolicy,
): FingerprintSignal {
  const reader = options.element(key, typeof given === 'string' ? { name: given } : given, [
    'name',
    'compare',
    'onMismatch',
    'always',
  ]);
  const name = reader.text('name')?.toLowerCase();
  // the names of a header and of the custom signal must not be mistaken for each other
  if (name === undefined || !HEADER_NAME.test(name) || name === 'custom') {
    throw reader.refuse('name', "a header's name, such as 'user-agent'");
  }
  const compare = reader.get('compare', 'exact');
  if (compare !== 'exact' && compare !== 'ignore-versions' && typeof compare !== 'function') {
    throw reader.refuse('compare', "'exact', 'ignore-versions', or a function of the header's value");
  }
  return {
    name,
    onMismatch: reader.oneOf('onMismatch', POLICIES, fallback),
    always: reader.flag('always', false),
    // an application's own function may return something else the next time
    isPure: typeof compare !== 'function',
    read: ({ headers }) => readHeader(headers, name, compare as HeaderComparison),
  };
}

function customSignal(options: OptionReader, fallback: FingerprintPolicy): FingerprintSignal | undefined {
  const given = options.get('custom');
  if (given === undefined) return undefined;
  const short = typeof given === 'function';
  const reader = short ? OptionReader.empty('fingerprint.custom') : options.slice('custom', ['read', 'onMismatch']);
  const read = short ? given : reader.get('read');
  if (typeof read !== 'function') throw reader.refuse('read', 'a function of the request that answers a text');
  return {
    name: 'custom',
    onMismatch: reader.oneOf('onMismatch', POLICIES, fallback),
    always: true,
    isPure: false,
    read: read as (request: FingerprintRequest) => string | undefined,
  };
}
