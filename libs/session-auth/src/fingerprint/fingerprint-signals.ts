import type { IncomingHttpHeaders } from 'node:http';
import { RecentlyUsed } from '../cache/lru-cache.js';

/** What of a header is compared: all of it, all but versions, or what a function makes of it. */
export type HeaderComparison = 'exact' | 'ignore-versions' | ((value: string) => string);

type HeaderValue = string | readonly string[] | undefined;

const REMEMBERED = 256;
const LONGEST = 1024;
const DICTIONARY_CODINGS = new Set(['dcb', 'dcz', 'sdch']);

/** Returns a function that reads what is compared of a request's header. */
export function headerReader(
  name: string,
  compare: HeaderComparison,
): (request: { readonly headers: IncomingHttpHeaders }) => string {
  const read = (value: HeaderValue): string => readHeader(value, name, compare);
  // an application's own function may return something else the next time
  if (typeof compare === 'function') return ({ headers }) => read(headers[name]);
  const known = new RecentlyUsed<string>(REMEMBERED, LONGEST);
  return ({ headers }) => {
    const value = headers[name];
    return typeof value === 'string' ? known.of(value, read) : read(value);
  };
}

/** Absence is a value of its own: a client that sent no such header at login must not send one later. */
function readHeader(value: HeaderValue, name: string, compare: HeaderComparison): string {
  if (value === undefined) return 'absent';
  const text = typeof value === 'string' ? value : value.join(', ');
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
