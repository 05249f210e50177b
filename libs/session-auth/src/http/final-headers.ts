import type { ServerResponse } from 'node:http';

type HeaderValue = number | string | readonly string[];
type WriteHead = (...args: unknown[]) => ServerResponse;

/** Header fields that let a cache in front of the application overrule `Cache-Control` (RFC 9213). */
const CACHE_OVERRIDES = ['cdn-cache-control', 'surrogate-control'];

/**
 * What the headers of one response must say, whatever a handler, an interceptor or a middleware sets afterwards. It
 * takes effect at the last moment, when Node writes the head.
 */
export class FinalHeaders {
  readonly #vary: string[] = [];
  readonly #cookies = new Map<string, string>();
  #noStore = false;

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

  /** No cache may keep the response: `Cache-Control` becomes `no-store` whatever it was. */
  forbidStore(): void {
    this.#noStore = true;
  }

  /** The response sets this cookie, once, beside cookies of other names, and no cache may keep it. */
  setCookie(name: string, serialized: string): void {
    this.#cookies.set(name, serialized);
    this.#noStore = true;
  }

  /** Express sets its headers on the response. */
  #apply(): void {
    const { response } = this;
    const vary = mergedVary([response.getHeader('vary')], this.#vary);
    if (vary !== '') response.setHeader('vary', vary);
    if (this.#cookies.size > 0) response.setHeader('set-cookie', this.#withCookies([response.getHeader('set-cookie')]));
    if (this.#noStore) {
      response.setHeader('cache-control', 'no-store');
      for (const name of CACHE_OVERRIDES) response.removeHeader(name);
    }
  }

  /** Fastify hands its headers over in one object, which Node writes as it is. */
  #applyTo(given: object): Record<string, HeaderValue> {
    const { response } = this;
    const headers: Record<string, HeaderValue> = {};
    const vary = [response.getHeader('vary')];
    const cookies: (HeaderValue | undefined)[] = [];
    for (const [name, value] of pairsOf(given)) {
      const key = name.toLowerCase();
      if (key === 'vary') vary.push(...linesOf([value]));
      else if (key === 'set-cookie') cookies.push(value);
      else if (!this.#noStore || (key !== 'cache-control' && !CACHE_OVERRIDES.includes(key))) headers[name] = value;
    }
    const names = mergedVary(vary, this.#vary);
    if (names !== '') headers['vary'] = names;
    const lines = this.#withCookies(cookies.length > 0 ? cookies : [response.getHeader('set-cookie')]);
    if (lines.length > 0) headers['set-cookie'] = lines;
    if (this.#noStore) {
      headers['cache-control'] = 'no-store';
      for (const name of CACHE_OVERRIDES) response.removeHeader(name);
    }
    return headers;
  }

  #withCookies(present: readonly (HeaderValue | undefined)[]): string[] {
    const names = [...this.#cookies.keys()];
    const others = linesOf(present).filter((line) => !names.some((name) => line.startsWith(`${name}=`)));
    return [...others, ...this.#cookies.values()];
  }
}

/** `*` stands for all names (RFC 9110 12.5.5). Of two spellings of a name, the first stays. */
function mergedVary(present: readonly (HeaderValue | undefined)[], added: readonly string[]): string {
  const byKey = new Map<string, string>();
  for (const name of [...linesOf(present).join().split(','), ...added]) {
    const plain = name.trim();
    if (plain !== '' && !byKey.has(plain.toLowerCase())) byKey.set(plain.toLowerCase(), plain);
  }
  return byKey.has('*') ? '*' : [...byKey.values()].join(', ');
}

function linesOf(values: readonly (HeaderValue | undefined)[]): string[] {
  return values.flat().flatMap((value) => (value === undefined ? [] : String(value)));
}

/** The headers of a `writeHead` call: an object, an array of pairs, or an array of names and values in turn. */
function pairsOf(given: object): [string, HeaderValue][] {
  if (!Array.isArray(given)) return Object.entries(given) as [string, HeaderValue][];
  const flat: unknown[] = Array.isArray(given[0]) ? given.flat(1) : given;
  const pairs = new Map<string, [string, HeaderValue]>();
  for (let at = 0; at < flat.length; at += 2) {
    const [name, value] = [String(flat[at]), flat[at + 1] as HeaderValue];
    const before = pairs.get(name.toLowerCase());
    if (before === undefined) pairs.set(name.toLowerCase(), [name, value]);
    else before[1] = linesOf([before[1], value]);
  }
  return [...pairs.values()];
}
