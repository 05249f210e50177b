import type { OptionReader } from '../options/option-reader.js';

/**
 * Where the browser is sent after a plain HTML form, with 303 (RFC 9110 15.4.4). Each value is a path of this origin,
 * with its query if need be: `'/account'`, `'/login?from=form'`. No request can change where a redirect leads.
 *
 * Without a path, the endpoint responds to a form with JSON, as it does to a script.
 */
export interface RedirectsOptions {
  /** After a login. @default none */
  readonly login?: string;
  /**
   * After a login that was refused. The query gets `error=<code>`, the same one for an unknown account and a wrong
   * password, and `retryAfter=<seconds>` where the answer to a script has `Retry-After`. @default none
   */
  readonly loginFailed?: string;
  /** After a logout. @default none */
  readonly logout?: string;
  /** After a re-authentication. @default none */
  readonly reauthenticate?: string;
  /** After a re-authentication that was refused, with the query of `loginFailed`. @default none */
  readonly reauthenticateFailed?: string;
}

/** The option `redirects` of the endpoints, once it is checked. */
export type Redirects = Readonly<Partial<Record<keyof RedirectsOptions, string>>>;

const KEYS = ['login', 'loginFailed', 'logout', 'reauthenticate', 'reauthenticateFailed'] as const;
const ALLOWED = "a path of this origin such as '/account', as browsers write it, without a fragment";

/** The slice `redirects` of the endpoints. */
export function resolveRedirects(endpoints: OptionReader): Redirects {
  const redirects = endpoints.slice('redirects', KEYS);
  const given: Partial<Record<keyof RedirectsOptions, string>> = {};
  for (const key of KEYS) {
    const path = redirects.text(key);
    if (path === undefined) continue;
    if (!isOwnPath(path)) throw redirects.refuse(key, ALLOWED);
    given[key] = path;
  }
  return given;
}

const ORIGIN = 'https://origin.invalid';

/**
 * Whether browsers and proxies take a text for a path of this origin. Refused are the spellings that some of them take
 * for another host: `//evil.example`, `/\evil.example`, `/%2fevil.example` once a proxy has decoded it,
 * `/\t/evil.example` once a browser has dropped the tab, and dot segments.
 */
export function isOwnPath(path: string): boolean {
  // printable ASCII but for the space, the backslash and the fragment
  if (!/^\/(?!\/)[\x21\x22\x24-\x5b\x5d-\x7e]*$/.test(path)) return false;
  const [pathname = '', ...query] = path.split('?');
  if (/\/\/|%(?:2f|5c|25|[01]|7f)/i.test(pathname) || /%(?:[01]|7f)/i.test(query.join('?'))) return false;
  return URL.canParse(path, ORIGIN) && new URL(path, ORIGIN).href === ORIGIN + path;
}
