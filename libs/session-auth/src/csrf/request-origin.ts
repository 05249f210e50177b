import type { IncomingHttpHeaders } from 'node:http';
import type { CsrfRejection } from '../events/session-event.js';

/** The headers in which a browser says where a request comes from. */
export interface OriginHeaders {
  readonly origin: unknown;
  readonly referer: unknown;
  readonly secFetchSite: unknown;
}

/** A web origin; with `subdomains`, all names below a domain, but not the domain itself. */
export interface TrustedOrigin {
  readonly scheme: string;
  /** Host name, in the form that browsers send. */
  readonly host: string;
  /** Empty: the scheme's default port. */
  readonly port: string;
  readonly subdomains: boolean;
}

type Origin = Omit<TrustedOrigin, 'subdomains'>;

const SERIALIZED = /^([a-z][a-z0-9+.-]*):\/\/(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::(\d{1,5}))?$/;
const WEB = /^https?$/;
const WILDCARD = /^((?:[a-z][a-z0-9+.-]*:\/\/)?)\*\./i;

/**
 * Returns the origin of an `Origin` header. Returns undefined for anything else than one origin as browsers write it
 * (RFC 6454 6.2): `null`, a list, a path, credentials, capitals, a default port.
 */
export function parseOrigin(value: unknown): Origin | undefined {
  if (typeof value !== 'string' || value.length > 512) return undefined;
  const [, scheme, host, port = ''] = SERIALIZED.exec(value) ?? [];
  if (scheme === undefined || host === undefined) return undefined;
  // only for these does the URL standard define a canonical form; others (`capacitor:`) are compared unchanged
  if (WEB.test(scheme) && urlOf(value)?.origin !== value) return undefined;
  return { scheme, host, port };
}

/** Returns the origin of the URL in a `Referer` header; undefined for any other text. */
export function parseReferer(value: unknown): Origin | undefined {
  return typeof value === 'string' ? parseOrigin(urlOf(value)?.origin) : undefined;
}

/** Returns the origin of a server from its protocol and the `Host` header; undefined if they are not valid. */
export function parseOwnOrigin(protocol: unknown, host: unknown): Origin | undefined {
  if (typeof protocol !== 'string' || typeof host !== 'string' || !WEB.test(protocol)) return undefined;
  return /^[^\s/\\?#@]+$/.test(host) ? parseOrigin(urlOf(`${protocol}://${host}`)?.origin) : undefined;
}

/**
 * Parses an origin in a configuration: `https://bank.example`, or `https://*.bank.example` for every name below it;
 * without a scheme, `https` is meant. Returns undefined for other texts, for too general ones (`*`, `*.com`), and for
 * the `null` that pages without an origin send, which is never trusted.
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

/** Whether an origin is one of these: same scheme, host and port, or a host below a trusted domain. */
export function isAmong(origin: Origin, trusted: readonly (Origin | TrustedOrigin)[]): boolean {
  return trusted.some((each) => {
    if (origin.scheme !== each.scheme || origin.port !== each.port) return false;
    if (!('subdomains' in each) || !each.subdomains) return origin.host === each.host;
    return origin.host.endsWith(`.${each.host}`) && origin.host.length > each.host.length + 1;
  });
}

/**
 * Returns why the headers alone refuse a request that changes something; undefined: they do not, and the token decides.
 *
 * | header | refused |
 * | --- | --- |
 * | `Origin` | present, and neither the application's nor trusted |
 * | `Sec-Fetch-Site: cross-site` | unless `Origin` is trusted |
 * | `Sec-Fetch-Site: same-site` | unless `Origin` is the application's or trusted: a sibling host is another origin |
 * | `Sec-Fetch-Site`, other values | never: unknown ones mean nothing |
 * | `Referer`, without `Origin` | present and not empty, and neither the application's nor trusted |
 *
 * `Sec-Fetch-Site` is compared case-insensitively. A request with none of the three comes from a very old browser or
 * from no browser.
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
 * Whether a request comes from a page of the application that hides its origin, with `Referrer-Policy: no-referrer`
 * (helmet's default): a browser sends both values for no other page.
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
