import type { ServerResponse } from 'node:http';

type HeaderValue = number | string | readonly string[];
type WriteHead = (...args: unknown[]) => ServerResponse;

interface FinalCookie {
  readonly lines: readonly string[];
  readonly isLate: () => boolean;
}

/** Header fields that let a cache in front of the application overrule `Cache-Control` (RFC 9213). */
const CACHE_OVERRIDES = ['cdn-cache-control', 'surrogate-control'];

/**
 * What the headers of one response must say, whatever a handler, an interceptor or a middleware sets afterwards. It
 * takes effect at the last moment, when Node writes the head. Only a middleware that waits for that moment too
 * (`on-headers`) and came before the guards speaks after it: it adds to these headers, and must not replace them.
 */
export class FinalHeaders {
  readonly #vary: string[] = [];
  readonly #cookies = new Map<string, FinalCookie>();
  #noStore = false;
  #isPersonal = false;

  constructor(private readonly response: ServerResponse) {
    // other libraries put theirs in the way of `writeHead` in the same manner: whoever came before is called last
    // eslint-disable-next-line @typescript-eslint/unbound-method -- it is called with `apply`
    const writeHead = response.writeHead as WriteHead;
    response.writeHead = (...args: unknown[]): ServerResponse => {
      response.writeHead = writeHead;
      const given = args.at(-1);
      if (typeof given !== 'object' || given === null) {
        this.#apply();
        return writeHead.apply(response, args);
      }
      return writeHead.apply(response, [...args.slice(0, -1), this.#applyTo(given)]);
    };
  }

  /** The response depends on these request headers: `Vary` will name them besides what else it names. */
  vary(...names: readonly string[]): void {
    this.#vary.push(...names);
  }

  /**
   * The response depends on whose session the request has: `Vary` names `Cookie`.
   *
   * @param noStore whether no cache may keep it, the browser's neither, unless the application sets `Cache-Control`
   */
  dependOnSession(noStore: boolean): void {
    this.#vary.push('Cookie');
    this.#isPersonal = noStore;
  }

  /** No cache may keep the response: `Cache-Control` becomes `no-store` whatever it was. */
  forbidStore(): void {
    this.#noStore = true;
  }

  /**
   * The response sets this cookie beside cookies of other names, and no cache may keep it.
   *
   * @param lines the `Set-Cookie` values of this name, all there are
   * @param isLate asked when the head is written: whether the cookie must not be set any more
   */
  setCookie(name: string, lines: readonly string[], isLate = (): boolean => false): void {
    this.#cookies.set(name, { lines, isLate });
    this.#noStore = true;
  }

  /** The response does not set this cookie, whatever was said before. */
  dropCookie(name: string): void {
    this.#cookies.delete(name);
  }

  /** Express sets its headers on the response. */
  #apply(): void {
    const { response } = this;
    const vary = mergedVary([response.getHeader('vary')], this.#vary);
    if (vary !== '') response.setHeader('vary', vary);
    if (this.#cookies.size > 0) {
      const cookies = this.#withCookies([response.getHeader('set-cookie')]);
      if (cookies.length > 0) response.setHeader('set-cookie', cookies);
      else response.removeHeader('set-cookie');
    }
    if (this.#noStore) {
      response.setHeader('cache-control', 'no-store');
      for (const name of CACHE_OVERRIDES) response.removeHeader(name);
    } else if (this.#isPersonal && !response.hasHeader('cache-control')) {
      response.setHeader('cache-control', 'no-store');
    }
  }

  /** Fastify hands its headers over in one object, which Node writes as it is. */
  #applyTo(given: object): Record<string, HeaderValue> {
    const { response } = this;
    const headers: Record<string, HeaderValue> = {};
    const vary = [response.getHeader('vary')];
    const cookies: (HeaderValue | undefined)[] = [];
    const source = Array.isArray(given) ? objectOf(given) : (given as Record<string, HeaderValue>);
    let isSilent = !response.hasHeader('cache-control');
    for (const name in source) {
      const key = name.toLowerCase();
      const value = source[name]!;
      if (key === 'cache-control') isSilent = false;
      if (key === 'vary') vary.push(String(value));
      else if (key === 'set-cookie' && this.#cookies.size > 0) cookies.push(value);
      else if (!this.#noStore || (key !== 'cache-control' && !CACHE_OVERRIDES.includes(key))) headers[name] = value;
    }
    const names = mergedVary(vary, this.#vary);
    if (names !== '') headers['vary'] = names;
    if (this.#cookies.size > 0) {
      const all = this.#withCookies(cookies.length > 0 ? cookies : [response.getHeader('set-cookie')]);
      if (all.length > 0) headers['set-cookie'] = all;
      else response.removeHeader('set-cookie');
    }
    if (this.#noStore) {
      headers['cache-control'] = 'no-store';
      for (const name of CACHE_OVERRIDES) response.removeHeader(name);
    } else if (this.#isPersonal && isSilent) {
      headers['cache-control'] = 'no-store';
    }
    return headers;
  }

  #withCookies(present: readonly (HeaderValue | undefined)[]): string[] {
    const names = [...this.#cookies.keys()];
    const others = linesOf(present).filter((line) => !names.some((name) => line.startsWith(`${name}=`)));
    const ours = [...this.#cookies.values()].filter(({ isLate }) => !isLate());
    return [...others, ...ours.flatMap(({ lines }) => lines)];
  }
}

/** `*` stands for all names (RFC 9110 12.5.5). Of two spellings of a name, the first stays. */
function mergedVary(present: readonly (HeaderValue | undefined)[], added: readonly string[]): string {
  const names = present.filter((value) => value !== undefined).join();
  if (names === '') return [...new Set(added)].join(', ');
  const byKey = new Map<string, string>();
  for (const name of [...names.split(','), ...added]) {
    const plain = name.trim();
    if (plain !== '' && !byKey.has(plain.toLowerCase())) byKey.set(plain.toLowerCase(), plain);
  }
  return byKey.has('*') ? '*' : [...byKey.values()].join(', ');
}

function linesOf(values: readonly (HeaderValue | undefined)[]): string[] {
  return values.flat().flatMap((value) => (value === undefined ? [] : String(value)));
}

/** The headers of a `writeHead` call that were given as an array: of pairs, or of names and values in turn. */
function objectOf(given: readonly unknown[]): Record<string, HeaderValue> {
  const flat: unknown[] = Array.isArray(given[0]) ? given.flat(1) : [...given];
  const headers: Record<string, HeaderValue> = {};
  for (let at = 0; at < flat.length; at += 2) {
    const [name, value] = [String(flat[at]), flat[at + 1] as HeaderValue];
    const known = Object.keys(headers).find((each) => each.toLowerCase() === name.toLowerCase());
    headers[known ?? name] = known === undefined ? value : linesOf([headers[known], value]);
  }
  return headers;
}
