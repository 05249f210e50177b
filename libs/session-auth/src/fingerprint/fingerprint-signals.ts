import type { IncomingHttpHeaders } from 'node:http';
import { knownBrowser } from '../users/client.js';

/**
 * Which part of a header is compared: all of it, all except versions, the browser's family and platform, or the result
 * of a function.
 */
export type HeaderComparison = 'exact' | 'ignore-versions' | 'browser' | ((value: string) => string);

type HeaderValue = string | readonly string[] | undefined;

/**
 * How many characters of a `User-Agent` are searched for a browser: no browser sends more, and a long text takes long.
 */
const LONGEST_BROWSER = 512;

const DICTIONARY_CODINGS = new Set(['dcb', 'dcz', 'sdch']);

/**
 * Returns the text of a header for the comparison. Absence has its own text: a client that sent no such header at login
 * must not send one later.
 */
export function readHeader(headers: IncomingHttpHeaders, name: string, compare: HeaderComparison): string {
  const value: HeaderValue = headers[name];
  if (value === undefined) return 'absent';
  const text = String(value);
  if (typeof compare === 'function') return `is ${compare(text)}`;
  const plain = name === 'accept-encoding' ? withoutDictionaries(text) : text;
  if (compare === 'exact') return `is ${plain}`;
  // for unknown programs (a script, an application) the text itself is compared
  const browser = compare === 'browser' ? knownBrowser(plain.slice(0, LONGEST_BROWSER)) : undefined;
  return browser === undefined ? `is ${plain.replace(/\d+(?:[._]\d+)*/g, '#')}` : `is ${browser}`;
}

/** Keeps the codings that a browser always accepts: those with a dictionary depend on its cache. */
function withoutDictionaries(acceptEncoding: string): string {
  return acceptEncoding
    .split(',')
    .map((coding) => coding.trim().toLowerCase())
    .filter((coding) => !DICTIONARY_CODINGS.has(coding))
    .join(', ');
}
