import type { IncomingHttpHeaders } from 'node:http';
import type { CsrfRejection } from '../events/session-event.js';

/** What the browser says of where a request comes from. */
export interface OriginHeaders {
  readonly origin: unknown;
  readonly referer: unknown;
  readonly secFetchSite: unknown;
}

/** A web origin, or with `subdomains` all below a name: never the name itself. */
export interface TrustedOrigin {
  readonly scheme: string;
  /** Host name, in the form that browsers send. */
  readonly host: string;
  /** Empty: the scheme's own. */
  readonly port: string;
  readonly subdomains: boolean;
}

type Origin = Omit<TrustedOrigin, 'subdomains'>;

const SERIALIZED = /^([a-z][a-z0-9+.-]*):\/\/(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::(\d{1,5}))?$/;
const WEB = /^https?$/;
const WILDCARD = /^((?:[a-z][a-z0-9+.-]*:\/\/)?)\*\./i;

/**
 * The origin that an `Origin` header names; undefined for whatever is not exactly one origin as browsers write it
 * (RFC 6454 6.2): `null`, a list, a path, credentials, capitals, a port that goes without saying.
 */
export function parseOrigin(value: unknown): Origin | undefined {
  if (typeof value !== 'string' || value.length > 512) return undefined;
  const [, scheme, host, port = ''] = SERIALIZED.exec(value) ?? [];
  if (scheme === undefined || host === undefined) return undefined;
  // only for these does the URL standard say what is canonical; others (`capacitor:`) are compared as they are
  if (WEB.test(scheme) && urlOf(value)?.origin !== value) return undefined;
  return { scheme, host, port };
}

/** The origin of a URL as a `Referer` header gives it; undefined for what is none. */
export function parseReferer(value: unknown): Origin | undefined {
  return typeof value === 'string' ? parseOrigin(urlOf(value)?.origin) : undefined;
}

/** The origin a server is reached at by its protocol and the `Host` header; undefined when they do not make one. */
export function parseOwnOrigin(protocol: unknown, host: unknown): Origin | undefined {
  if (typeof protocol !== 'string' || typeof host !== 'string' || !WEB.test(protocol)) return undefined;
  return /^[^\s/\\?#@]+$/.test(host) ? parseOrigin(urlOf(`${protocol}://${host}`)?.origin) : undefined;
}

/**
 * An origin as a configuration names it: `https://bank.example`, or `https://*.bank.example` for everything below it;
 * without a scheme, `https` is meant. Undefined for what is neither, names too much (`*`, `*.com`), or reads as the
 * `Origin: null` of a page without an origin, which is never trusted.
 */
export function parseTrustedOrigin(text: string): TrustedOrigin | undefined {
  const subdomains = WILDCARD.test(text);
  const plain = text.replace(WILDCARD, '$1');
  const url = urlOf(/^[a-z][a-z0-9+.-]*:\/\//i.test(plain) ? plain : `https://${plain}`);
  if (url === undefined || url.username + url.password + url.search + url.hash !== '') return undefined;
  if (url.pathname !== '' && url.pathname !== '/') return undefined;
  const origin = parseOrigin(`${url.protocol}//${url.host}`);
  if (origin === undefined || origin.host === 'null') return undefined;
  const isTooWide = subdomains && !origin.host.includes('.') && origin.host !== 'localhost';
  return isTooWide ? undefined : { ...origin, subdomains };
}

/** Whether an origin is one of these: scheme, host and port alike, or a host below a trusted name. */
export function isAmong(origin: Origin, trusted: readonly (Origin | TrustedOrigin)[]): boolean {
  return trusted.some((each) => {
    if (origin.scheme !== each.scheme || origin.port !== each.port) return false;
    if (!('subdomains' in each) || !each.subdomains) return origin.host === each.host;
    return origin.host.endsWith(`.${each.host}`) && origin.host.length > each.host.length + 1;
  });
}

/**
 * What the headers alone say against a request that changes something; undefined: nothing, and the token decides.
 *
 * | header | refused |
 * | --- | --- |
 * | `Origin` | present, and neither ours nor trusted |
 * | `Sec-Fetch-Site: cross-site` | unless `Origin` is trusted |
 * | `Sec-Fetch-Site: same-site` | unless `Origin` is ours or trusted: a sibling is not us |
 * | `Sec-Fetch-Site`, other values | never: unknown ones mean nothing |
 * | `Referer`, where there is no `Origin` | present and not empty, and neither ours nor trusted |
 *
 * `Sec-Fetch-Site` is compared without regard to case. A request with none of the three is no browser's, or a very old one's.
 */
export function judgeOrigin(
  headers: OriginHeaders,
  own: readonly (Origin | TrustedOrigin)[],
  trusted: readonly TrustedOrigin[],
): CsrfRejection | undefined {
  const { origin, referer, secFetchSite } = headers;
  const site = siteOf(secFetchSite);
  const from = parseOrigin(origin);
  const isTrusted = from !== undefined && isAmong(from, trusted);
  const isOurs = from !== undefined && isAmong(from, own);
  if (origin !== undefined && !isTrusted && !isOurs) return 'untrusted_origin';
  if (site === 'cross-site' && !isTrusted) return 'cross_site';
  if (site === 'same-site' && !isTrusted && !isOurs) return 'cross_site';
  if (origin !== undefined || referer === undefined || referer === '') return undefined;
  const refererOrigin = parseReferer(referer);
  const isKnown = refererOrigin !== undefined && (isAmong(refererOrigin, own) || isAmong(refererOrigin, trusted));
  return isKnown ? undefined : 'untrusted_origin';
}

/**
 * Whether a request is from a page of our own that hides its origin, under `Referrer-Policy: no-referrer` (helmet's
 * default): of no other page does a browser say both.
 */
export function isOwnButHidden({ origin, 'sec-fetch-site': site }: IncomingHttpHeaders): boolean {
  return origin === 'null' && siteOf(site) === 'same-origin';
}

function siteOf(secFetchSite: unknown): string | undefined {
  return typeof secFetchSite === 'string' ? secFetchSite.toLowerCase() : undefined;
}

function urlOf(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}
