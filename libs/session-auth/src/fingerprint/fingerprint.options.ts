import type { IncomingHttpHeaders } from 'node:http';
import { OptionReader } from '../options/option-reader.js';
import { readHeader, type HeaderComparison } from './fingerprint-signals.js';

/**
 * What happens to a request whose client no longer looks like the one that logged in: `destroy` ends the session
 * (401), `reject` refuses the request and lets the session live (401), `report` only publishes the event.
 */
export type FingerprintPolicy = 'destroy' | 'reject' | 'report';

/** The input of the application's own signal. */
export interface FingerprintRequest {
  readonly headers: IncomingHttpHeaders;
  /** According to the adapter's trust in proxies. */
  readonly ip?: string | undefined;
  readonly method: string;
}

/** A request header as a signal. */
export interface FingerprintHeaderOptions {
  /** The header's name. */
  readonly name: string;
  /**
   * - `'browser'`, for `user-agent` only: browser family and platform (`Firefox on Windows`). A new version is the same
   *   browser. An unknown browser is compared as with `'ignore-versions'`.
   * - `'ignore-versions'`: all of it except numbers.
   * - `'exact'`: all of it.
   * - a function that returns the text to compare.
   *
   * @default 'browser' for `user-agent`, 'exact' for every other header
   */
  readonly compare?: HeaderComparison;
  /**
   * Compare it on every request, also on those where browsers are known to send another value.
   *
   * @default false
   */
  readonly always?: boolean;
}

/**
 * Which traits of the client a session is bound to. This is a hurdle, not a wall: a thief who has both the cookie and
 * the request can send the same headers.
 */
export interface FingerprintOptions {
  /** @default ['user-agent', 'accept-language', 'accept-encoding'] */
  readonly headers?: readonly (string | FingerprintHeaderOptions)[];
  /**
   * The application's own signal, such as the country of the address. Returns the text to compare, or undefined if
   * unknown, which is never a mismatch.
   *
   * @default none
   */
  readonly custom?: (request: FingerprintRequest) => string | undefined;
  /**
   * What happens when a signal differs: one policy for all signals, or one for each, by its header's name or `custom`.
   * If several signals differ, the strictest policy applies.
   *
   * @default 'report' for `accept-language` and `accept-encoding`, which proxies and browsers change; 'destroy' for
   *   others
   */
  readonly onMismatch?: FingerprintPolicy | Readonly<Record<string, FingerprintPolicy>>;
}

/** One trait of the client. */
export interface FingerprintSignal {
  /** A header in lower case, or `custom`. */
  readonly name: string;
  /** Distinguishes the signal from one of the same name that is compared differently. */
  readonly tag: string;
  readonly onMismatch: FingerprintPolicy;
  /** Compared also where browsers are known to send another value. */
  readonly always: boolean;
  /** Whether the signal depends on its header alone: the same header always gives the same text. */
  readonly isPure: boolean;
  /** Returns the text to compare; undefined if unknown, which is never a mismatch. */
  readonly read: (request: FingerprintRequest) => string | undefined;
}

/** Where the signals to compare are injected from, as {@link FingerprintSignal}s; undefined: the check is off. */
export const FINGERPRINT_SIGNALS = Symbol('nestjs-session-auth fingerprint signals');

const POLICIES: readonly FingerprintPolicy[] = ['destroy', 'reject', 'report'];
const DEFAULT_HEADERS = ['user-agent', 'accept-language', 'accept-encoding'];
/** Headers that proxies rewrite and browsers shorten: a change of these alone does not indicate a theft. */
const REPORTED_BY_DEFAULT = ['accept-language', 'accept-encoding'];
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9a-z-]{1,100}$/i;
/** The name of the application's own signal, which no header may have. */
export const CUSTOM = 'custom';

type SignalWithoutPolicy = Omit<FingerprintSignal, 'onMismatch'>;

/** The slice `fingerprint` of the options: the signals to compare, or undefined where it is off. */
export function resolveFingerprint(root: OptionReader): readonly FingerprintSignal[] | undefined {
  if (root.get('fingerprint') === false) return undefined;
  const options = root.slice('fingerprint', ['headers', 'custom', 'onMismatch']);
  const given = options.get('headers', DEFAULT_HEADERS);
  if (!Array.isArray(given)) throw options.refuse('headers', 'an array of header names, or { name, … }');
  const signals = given.map((each: unknown, index) => headerSignal(options, `headers[${index}]`, each));
  const custom = customSignal(options);
  if (custom !== undefined) signals.push(custom);
  const names = signals.map(({ name }) => name);
  if (new Set(names).size !== names.length) throw options.refuse('headers', 'different headers', 'a header twice');
  const policyOf = resolvePolicies(options, names);
  return signals.map((signal) => ({ ...signal, onMismatch: policyOf(signal.name) }));
}

function headerSignal(options: OptionReader, key: string, given: unknown): SignalWithoutPolicy {
  const reader = options.element(key, typeof given === 'string' ? { name: given } : given, [
    'name',
    'compare',
    'always',
  ]);
  const name = reader.text('name')?.toLowerCase();
  // a header must not have the name of the custom signal
  if (name === undefined || !HEADER_NAME.test(name) || name === CUSTOM) {
    throw reader.refuse('name', "a header's name, such as 'user-agent'");
  }
  const isUserAgent = name === 'user-agent';
  const compare = reader.get('compare', isUserAgent ? 'browser' : 'exact');
  if (!isComparison(compare) || (compare === 'browser' && !isUserAgent)) {
    throw reader.refuse('compare', "'exact', 'ignore-versions', 'browser' for user-agent, or a function of the value");
  }
  return {
    name,
    tag: compare === 'exact' ? name : `${name}:${typeof compare === 'function' ? 'function' : compare}`,
    always: reader.flag('always', false),
    // an application's function may return another text next time
    isPure: typeof compare !== 'function',
    read: ({ headers }) => readHeader(headers, name, compare),
  };
}

function isComparison(value: unknown): value is HeaderComparison {
  return value === 'exact' || value === 'ignore-versions' || value === 'browser' || typeof value === 'function';
}

function customSignal(options: OptionReader): SignalWithoutPolicy | undefined {
  const read = options.get(CUSTOM);
  if (read === undefined) return undefined;
  if (typeof read !== 'function') throw options.refuse(CUSTOM, 'a function of the request that returns a text');
  return {
    name: CUSTOM,
    tag: CUSTOM,
    always: true,
    isPure: false,
    read: read as (request: FingerprintRequest) => string | undefined,
  };
}

/** The policy of a signal by its name. */
function resolvePolicies(options: OptionReader, names: readonly string[]): (name: string) => FingerprintPolicy {
  const given = options.get('onMismatch');
  const byDefault = (name: string): FingerprintPolicy => (REPORTED_BY_DEFAULT.includes(name) ? 'report' : 'destroy');
  if (given === undefined) return byDefault;
  if (typeof given !== 'object') {
    const policy = options.oneOf('onMismatch', POLICIES, 'destroy');
    return () => policy;
  }
  const known = Object.keys(given ?? {}).filter((key) => names.includes(key.toLowerCase()));
  // refuses a policy for a signal that is not compared, by its name
  const reader = options.slice('onMismatch', [...new Set([...names, ...known])]);
  const policies = new Map(known.map((key) => [key.toLowerCase(), reader.oneOf(key, POLICIES, 'destroy')]));
  return (name) => policies.get(name) ?? byDefault(name);
}
