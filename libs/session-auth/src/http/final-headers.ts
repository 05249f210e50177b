import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';

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
  #isHooked = false;

  constructor(private readonly response: ServerResponse) {}

  /** The response depends on these request headers: `Vary` will name them besides what else it names. */
  vary(...names: readonly string[]): void {
    for (const name of names) if (!this.#vary.includes(name)) this.#vary.push(name);
    this.#hook();
  }

  /** No cache may keep the response: `Cache-Control` becomes `no-store` whatever it was. */
  forbidStore(): void {
    this.#noStore = true;
    this.#hook();
  }

  /** The response sets this cookie, once, beside cookies of other names, and no cache may keep it. */
  setCookie(name: string, serialized: string): void {
    this.#cookies.set(name, serialized);
    this.forbidStore();
  }

  #hook(): void {
    if (this.#isHooked) return;
    this.#isHooked = true;
    const { response } = this;
    // other libraries put theirs in the way of `writeHead` in the same manner: whoever came before is called last
    // eslint-disable-next-line @typescript-eslint/unbound-method -- it is called with `apply`
    const writeHead = response.writeHead as WriteHead;
    response.writeHead = (...args: unknown[]): ServerResponse => {
      response.writeHead = writeHead;
      const last = args.at(-1);
      // Express has set its headers on the response; Fastify hands them over here, and Node writes such an object as it is
      const given = typeof last === 'object' && last !== null ? headersOf(last) : undefined;
      this.#apply(new Head(response, given));
      return writeHead.apply(response, given === undefined ? args : [...args.slice(0, -1), given]);
    };
  }

  #apply(head: Head): void {
    if (this.#vary.length > 0) head.set('vary', mergedVary(head.members('vary'), this.#vary));
    if (this.#cookies.size > 0) head.set('set-cookie', this.#withCookies(head.lines('set-cookie')));
    if (!this.#noStore) return;
    head.set('cache-control', 'no-store');
    for (const name of CACHE_OVERRIDES) head.remove(name);
  }

  #withCookies(lines: readonly string[]): string[] {
    const names = [...this.#cookies.keys()];
    const others = lines.filter((line) => !names.some((name) => line.startsWith(`${name}=`)));
    return [...others, ...this.#cookies.values()];
  }
}

/** The headers of a head that is about to be written: those handed to `writeHead`, else those set on the response. */
class Head {
  constructor(
    private readonly response: ServerResponse,
    private readonly given: OutgoingHttpHeaders | undefined,
  ) {}

  /** The lines of a header: of those handed over if they have it, as Node takes them. */
  lines(name: string): string[] {
    const given = this.#keysOf(name).flatMap((key) => linesOf(this.given![key]));
    return given.length > 0 ? given : linesOf(this.response.getHeader(name));
  }

  /** The members of a header that is a list (RFC 9110 5.6.1), wherever they were set. */
  members(name: string): string[] {
    const set = this.given === undefined ? [] : linesOf(this.response.getHeader(name));
    return [...set, ...this.lines(name)]
      .flatMap((line) => line.split(','))
      .map((member) => member.trim())
      .filter((member) => member !== '');
  }

  set(name: string, value: string | string[]): void {
    if (this.given === undefined) {
      this.response.setHeader(name, value);
      return;
    }
    for (const key of this.#keysOf(name)) delete this.given[key];
    this.given[name] = value;
  }

  remove(name: string): void {
    this.response.removeHeader(name);
    for (const key of this.#keysOf(name)) delete this.given![key];
  }

  /** The name in the application's spellings. */
  #keysOf(name: string): string[] {
    const keys: string[] = [];
    for (const key in this.given) if (key.length === name.length && key.toLowerCase() === name) keys.push(key);
    return keys;
  }
}

function linesOf(value: HeaderValue | undefined): string[] {
  if (value === undefined) return [];
  return typeof value === 'object' ? [...value] : [String(value)];
}

/** `*` stands for all names (RFC 9110 12.5.5). Of two spellings of a name, the first stays. */
function mergedVary(present: readonly string[], added: readonly string[]): string {
  const byKey = new Map<string, string>();
  for (const name of [...present, ...added]) if (!byKey.has(name.toLowerCase())) byKey.set(name.toLowerCase(), name);
  return byKey.has('*') ? '*' : [...byKey.values()].join(', ');
}

/** The headers of a `writeHead` call in one object: given as one, as an array of pairs, or of names and values in turn. */
function headersOf(given: object): OutgoingHttpHeaders {
  if (!Array.isArray(given)) return { ...given };
  const flat = (Array.isArray(given[0]) ? given.flat(1) : given) as HeaderValue[];
  const headers: Record<string, HeaderValue> = {};
  for (let at = 0; at < flat.length; at += 2) {
    const name = String(flat[at]);
    const value = flat[at + 1]!;
    const key = Object.keys(headers).find((each) => each.toLowerCase() === name.toLowerCase());
    if (key === undefined) headers[name] = value;
    else headers[key] = [headers[key]!, value].flat().map(String);
  }
  return headers as OutgoingHttpHeaders;
}
