import type { OptionReader } from '../options/option-reader.js';
import { isMethodName } from './method-name.js';
import { parseTrustedOrigin, type TrustedOrigin } from './request-origin.js';

/** Protection against requests that other sites make a browser send. */
export interface CsrfOptions {
  /** The header that a script sends the token in. @default 'x-csrf-token' */
  readonly header?: string;
  /** The field that a form sends the token in, read when the header is absent. @default 'csrf_token' */
  readonly field?: string;
  /**
   * The protected HTTP verbs, in capitals; all others are open then.
   *
   * @default all except GET, HEAD and OPTIONS, including unknown verbs
   */
  readonly methods?: readonly string[];
  /**
   * Other origins whose pages may send requests here: `https://shop.example`, or `https://*.bank.example` for every
   * name below a domain (but not the domain itself). Scheme and port count; without a scheme `https` is meant. Their
   * requests need a token like all others.
   *
   * @default none
   */
  readonly trustedOrigins?: readonly string[];
  /**
   * The origin or origins at which browsers reach the application, such as `https://bank.example`. Set it behind any
   * proxy: it does not matter then how the proxy changes scheme and `Host`.
   *
   * @default the request's protocol and its `:authority` or `Host`; if the adapter trusts the proxy, the first entries
   *   of `X-Forwarded-Proto` and `X-Forwarded-Host`
   */
  readonly publicOrigin?: string | readonly string[];
  /** Protect every handler unless it is `@CsrfExempt()`. @default false: only `@CsrfProtected()` handlers */
  readonly global?: boolean;
}

/** The resolved `csrf` options. */
export interface CsrfSettings {
  /** In lower case, as in Node. */
  readonly header: string;
  readonly field: string;
  /** undefined: all except GET, HEAD and OPTIONS. */
  readonly methods: readonly string[] | undefined;
  readonly trustedOrigins: readonly TrustedOrigin[];
  /** Empty: the origin that the request names. */
  readonly publicOrigins: readonly TrustedOrigin[];
  readonly global: boolean;
}

/** Where {@link CsrfSettings} are injected from. */
export const CSRF_SETTINGS = Symbol('nestjs-session-auth CSRF settings');

const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9a-z-]{1,100}$/i;

/** The slice `csrf` of the options. */
export function resolveCsrf(root: OptionReader): CsrfSettings {
  const csrf = root.slice('csrf', ['header', 'field', 'methods', 'trustedOrigins', 'publicOrigin', 'global']);
  const header = csrf.text('header') ?? 'x-csrf-token';
  if (!HEADER_NAME.test(header)) throw csrf.refuse('header', 'the name of an HTTP header');
  return {
    header: header.toLowerCase(),
    field: csrf.text('field') ?? 'csrf_token',
    methods: resolveMethods(csrf),
    trustedOrigins: resolveOrigins(csrf, 'trustedOrigins', true),
    publicOrigins: resolveOrigins(csrf, 'publicOrigin', false),
    global: csrf.flag('global', false),
  };
}

function resolveMethods(csrf: OptionReader): readonly string[] | undefined {
  const given = csrf.get('methods');
  if (given === undefined) return undefined;
  if (!Array.isArray(given) || given.length === 0 || !given.every(isMethodName)) {
    throw csrf.refuse('methods', "an array of HTTP verbs in capitals, such as ['POST', 'DELETE']");
  }
  return [...given];
}

function resolveOrigins(csrf: OptionReader, key: string, patterns: boolean): readonly TrustedOrigin[] {
  const given = csrf.get(key);
  if (given === undefined) return [];
  const allowed = patterns
    ? "an array of origins such as 'https://shop.example' or 'https://*.bank.example'"
    : "an origin such as 'https://bank.example', or an array of such";
  const list: readonly unknown[] = Array.isArray(given) ? given : patterns ? [] : [given];
  if (list.length === 0 && !(patterns && Array.isArray(given))) throw csrf.refuse(key, allowed);
  return list.map((each) => {
    const origin = typeof each === 'string' ? parseTrustedOrigin(each) : undefined;
    if (origin !== undefined && (patterns || !origin.subdomains)) return origin;
    throw csrf.refuse(key, allowed, typeof each === 'string' ? `'${each.slice(0, 100)}'` : typeof each);
  });
}
