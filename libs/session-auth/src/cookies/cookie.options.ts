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

/** No cookie lives longer (RFC 6265bis 5.5), in milliseconds. */
export const MAX_COOKIE_AGE = 400 * 24 * 60 * 60 * 1000;

const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const DOMAIN = /^\.?[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i;
const MAX_DOMAIN = 253;

/** What is wrong with a set of attributes: the option's name and the reason. Undefined: nothing. */
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
  // browsers compare the prefix without regard to case
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
