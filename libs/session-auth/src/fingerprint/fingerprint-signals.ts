import type { FingerprintHeaderOptions, FingerprintPolicy, FingerprintRequest } from './fingerprint.options.js';
import type { FingerprintSignal } from './fingerprint.js';
import { OptionReader } from '../options/option-reader.js';

const POLICIES: readonly FingerprintPolicy[] = ['destroy', 'reject', 'report'];
const DEFAULT_HEADERS = ['user-agent', 'accept-language', 'accept-encoding'];
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9a-z-]{1,100}$/i;
const DICTIONARY_CODINGS = new Set(['dcb', 'dcz', 'sdch']);

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
  const read = (value: string | readonly string[] | undefined): string =>
    readHeader(value, name, compare as NonNullable<FingerprintHeaderOptions['compare']>);
  return {
    name,
    onMismatch: reader.oneOf('onMismatch', POLICIES, fallback),
    always: reader.flag('always', false),
    // an application's own function may say another thing the next time
    isPure: typeof compare !== 'function',
    read: ({ headers }) => read(headers[name]),
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

/** Absence is a value of its own: a client that sent no such header at login must not send one later. */
function readHeader(
  value: string | readonly string[] | undefined,
  name: string,
  compare: NonNullable<FingerprintHeaderOptions['compare']>,
): string {
  if (value === undefined) return 'absent';
  const text = String(value);
  if (typeof compare === 'function') return `is ${compare(text)}`;
  const plain = name === 'accept-encoding' ? withoutDictionaries(text) : text;
  return `is ${compare === 'exact' ? plain : plain.replace(/\d+(?:[._]\d+)*/g, '#')}`;
}

/** The codings that a browser can always take: those that need a dictionary come and go with its cache. */
function withoutDictionaries(acceptEncoding: string): string {
  return acceptEncoding
    .split(',')
    .map((coding) => coding.trim().toLowerCase())
    .filter((coding) => !DICTIONARY_CODINGS.has(coding))
    .join(', ');
}
