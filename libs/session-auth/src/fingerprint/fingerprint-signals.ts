import type { IncomingHttpHeaders } from 'node:http';
import { knownBrowser } from '../users/client.js';

/**
 * What of a header is compared: all of it, all but versions, the browser's family and platform, or what a function
 * returns for it.
 */
export type HeaderComparison = 'exact' | 'ignore-versions' | 'browser' | ((value: string) => string);

type HeaderValue = string | readonly string[] | undefined;

/** Characters of a `User-Agent` in which a browser is looked for: no browser sends more, and a long text takes long. */
const LONGEST_BROWSER = 512;

const DICTIONARY_CODINGS = new Set(['dcb', 'dcz', 'sdch']);

/**
 * The text of a header that is compared. Absence is a value of its own: a client that sent no such header at login must
 * not send one later.
 */
export function readHeader(headers: IncomingHttpHeaders, name: string, compare: HeaderComparison): string {
  const value: HeaderValue = headers[name];
  if (value === undefined) return 'absent';
  const text = String(value);
  if (typeof compare === 'function') return `is ${compare(text)}`;
  const plain = name === 'accept-encoding' ? withoutDictionaries(text) : text;
  if (compare === 'exact') return `is ${plain}`;
  // what is no browser that is known (a script, an application) has its own text compared
  const browser = compare === 'browser' ? knownBrowser(plain.slice(0, LONGEST_BROWSER)) : undefined;
  return browser === undefined ? `is ${plain.replace(/\d+(?:[._]\d+)*/g, '#')}` : `is ${browser}`;
}

/** The codings that a browser can always take: those that need a dictionary come and go with its cache. */
function withoutDictionaries(acceptEncoding: string): string {
  return acceptEncoding
    .split(',')
    .map((coding) => coding.trim().toLowerCase())
    .filter((coding) => !DICTIONARY_CODINGS.has(coding))
    .join(', ');
}
