import type { CookieAttributes } from './cookie.options.js';

/** The part of a request's target that decides which cookies a browser sends. */
export interface CookieTarget {
  /** With or without a port. */
  readonly host: unknown;
  /** Without the query. */
  readonly path: string;
}

type Variant = Pick<CookieAttributes, 'path' | 'domain' | 'partitioned'>;

/** With more, the head of the response would exceed what proxies accept. The client chooses path and host. */
const MAX_VARIANTS = 32;
/** Characters of all domains and paths together. */
const MAX_LENGTH = 2048;
const MAX_SEGMENTS = 4;
const MAX_LABELS = 5;

const HOST = /^(?:[a-z0-9_-]{1,63}\.)+[a-z][a-z0-9-]{0,62}$/;
const PATH = /^[\x21-\x3a\x3c-\x7e]*$/;

/**
 * Returns the other places from which a browser may send cookies of one name (RFC 6265bis 5.8.3): for this host only,
 * for the configured domain and for every domain above the host; at the configured path, at `/` and at every path above
 * the target. The configured place is not included. With the prefix `__Host-` browsers allow one place, and one more
 * for a partitioned cookie.
 */
export function otherVariants(attributes: CookieAttributes, { host, path }: CookieTarget): Variant[] {
  const { name, secure } = attributes;
  const isHostOnly = /^__host-/i.test(name);
  const domains = isHostOnly ? [undefined] : [undefined, attributes.domain, ...domainsAbove(host)];
  const paths = isHostOnly ? ['/'] : [attributes.path, '/', ...pathsAbove(path)];
  const variants = new Map<string, Variant>();
  const add = (variant: Variant): void => void variants.set(keyOf(variant), variant);
  if (secure) add({ ...attributes, partitioned: !attributes.partitioned });
  // paths first, so that the limit drops the deepest paths and no domain
  for (const each of paths)
    for (const domain of domains) add({ path: each, domain, partitioned: attributes.partitioned });
  variants.delete(keyOf(attributes));
  return withinBounds([...variants.values()]);
}

function withinBounds(variants: readonly Variant[]): Variant[] {
  let room = MAX_LENGTH;
  const fits = ({ path, domain = '' }: Variant): boolean => (room -= path.length + domain.length) >= 0;
  const end = variants.findIndex((each) => !fits(each));
  return variants.slice(0, Math.min(end < 0 ? variants.length : end, MAX_VARIANTS));
}

/** A leading dot means nothing (RFC 6265bis 5.6.3). */
function keyOf({ path, domain = '', partitioned }: Variant): string {
  return JSON.stringify([path, domain.replace(/^\./, '').toLowerCase(), partitioned]);
}

function domainsAbove(host: unknown): string[] {
  const name = typeof host === 'string' ? host.toLowerCase().replace(/:\d+$/, '') : '';
  if (!HOST.test(name)) return [];
  const labels = name.split('.').slice(-MAX_LABELS);
  return labels.slice(0, -1).map((_, index) => labels.slice(index).join('.'));
}

function pathsAbove(path: string): string[] {
  if (!PATH.test(path)) return [];
  const segments = path.split('/').slice(1, MAX_SEGMENTS + 1);
  return segments.flatMap((_, index) => {
    const above = `/${segments.slice(0, index + 1).join('/')}`;
    return above.endsWith('/') ? [above] : [above, `${above}/`];
  });
}
