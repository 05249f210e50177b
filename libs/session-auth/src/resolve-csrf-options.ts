import { isMethodName, type CsrfSettings } from './csrf/csrf-settings.js';
import { parseTrustedOrigin, type TrustedOrigin } from './csrf/request-origin.js';
import type { OptionReader } from './options/option-reader.js';

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
