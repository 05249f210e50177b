import { realmPart } from '../realms/realm-name.js';
import type { OptionReader } from '../options/option-reader.js';
import type { Duration } from '../time/durations.js';
import { DAY, SECOND } from '../time/units.js';

/** The session cookie. It is always `HttpOnly`. */
export interface CookieOptions {
  /** @default '__Host-session', in realms other than the default one `__Host-<realm>-session` */
  readonly name?: string;
  /** @default '/' */
  readonly path?: string;
  /** Only with a name that does not begin with `__Host-`. @default none: this host only */
  readonly domain?: string;
  /** @default 'lax' */
  readonly sameSite?: 'lax' | 'strict' | 'none';
  /** @default true */
  readonly secure?: boolean;
  /** @default false */
  readonly partitioned?: boolean;
  /**
   * How long the browser keeps the cookie. `'idle'` follows the idle deadline, and the cookie is written again when
   * that moves. `'absolute'` follows the absolute deadline. A duration starts with each write. The server never relies
   * on it. @default none: until the browser closes
   */
  readonly maxAge?: 'idle' | 'absolute' | Duration;
}

/** The session cookie's resolved attributes. `HttpOnly` is not among them: it is always set (ASVS 3.3.4). */
export interface CookieAttributes {
  readonly name: string;
  readonly path: string;
  readonly domain: string | undefined;
  readonly sameSite: 'lax' | 'strict' | 'none';
  readonly secure: boolean;
  readonly partitioned: boolean;
  /** `'idle'` and `'absolute'` follow that deadline; a number is milliseconds; undefined: until the browser closes. */
  readonly maxAge: 'idle' | 'absolute' | number | undefined;
}

/** Where the resolved `cookie` options are injected from, as {@link CookieAttributes}. */
export const COOKIE_ATTRIBUTES = Symbol('nestjs-session-auth cookie attributes');

/** No cookie lives longer (RFC 6265bis 5.5), in milliseconds. */
export const MAX_COOKIE_AGE = 400 * DAY;

const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const DOMAIN = /^\.?[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i;
const MAX_DOMAIN = 253;

/** The slice `cookie` of the options. */
export function resolveCookie(root: OptionReader, { realm }: { readonly realm: string }): CookieAttributes {
  const cookie = root.slice('cookie', ['name', 'path', 'domain', 'sameSite', 'secure', 'partitioned', 'maxAge']);
  const maxAge = cookie.get('maxAge');
  const attributes: CookieAttributes = {
    name: cookie.text('name') ?? `__Host-${realmPart(realm, '', '-')}session`,
    path: cookie.text('path') ?? '/',
    domain: cookie.text('domain'),
    sameSite: cookie.oneOf('sameSite', ['lax', 'strict', 'none'], 'lax'),
    secure: cookie.flag('secure', true),
    partitioned: cookie.flag('partitioned', false),
    maxAge:
      maxAge === undefined || maxAge === 'idle' || maxAge === 'absolute'
        ? maxAge
        : Math.min(cookie.duration('maxAge', 0, { least: SECOND, also: "'idle', 'absolute'" }), MAX_COOKIE_AGE),
  };
  const contradiction = cookieContradiction(attributes);
  if (contradiction !== undefined) throw cookie.refuse(contradiction.option, contradiction.reason);
  return attributes;
}

/** Returns warnings about a cookie that no standard recommends, for the log at boot in production. */
export function cookieAdvice({ secure }: CookieAttributes): string[] {
  if (secure) return [];
  return ['cookie.secure is false: browsers send sessions over plain HTTP as well, for anybody on the way to read'];
}

/** Returns what is wrong with a set of attributes: the option's name and the reason; undefined if nothing is. */
export function cookieContradiction(
  cookie: CookieAttributes,
): { readonly option: string; readonly reason: string } | undefined {
  const { name, path, domain, sameSite, secure, partitioned } = cookie;
  if (!NAME.test(name) || name.length > 100) {
    return { option: 'name', reason: 'a token of RFC 9110 section 5.6.2 of at most 100 characters' };
  }
  if (!path.startsWith('/') || !/^[\x21-\x3a\x3c-\x7e]*$/.test(path)) {
    return { option: 'path', reason: 'a path that starts with / and has no blank, semicolon or control character' };
  }
  if (domain !== undefined && (domain.length > MAX_DOMAIN || !DOMAIN.test(domain))) {
    return { option: 'domain', reason: 'a host name' };
  }
  // browsers compare the prefix case-insensitively
  const prefix = /^__(host-http|host|secure|http)-/i.exec(name)?.[0];
  if (prefix !== undefined && !secure) {
    return {
      option: 'secure',
      reason: `true with a name that begins with ${prefix}; choose another cookie.name otherwise`,
    };
  }
  if (prefix?.toLowerCase().startsWith('__host-')) {
    if (domain !== undefined) {
      return {
        option: 'domain',
        reason: `none with a name that begins with ${prefix}; cookie.name '__Secure-session' allows one`,
      };
    }
    if (path !== '/') return { option: 'path', reason: `'/' with a name that begins with ${prefix}` };
  }
  if (sameSite === 'none' && !secure) return { option: 'sameSite', reason: "'none' only with secure: true" };
  if (partitioned && !secure) return { option: 'partitioned', reason: 'true only with secure: true' };
  return undefined;
}
