import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';

type HeaderValue = number | string | readonly string[];
type Pairs = Iterable<readonly [string, HeaderValue]>;

/** Header fields that let a cache in front of the application overrule `Cache-Control` (RFC 9213). */
const CACHE_OVERRIDES = ['cdn-cache-control', 'surrogate-control'];

type WriteHead = (...args: unknown[]) => ServerResponse;

/** What responses have whose prototype asks for their final headers. */
const ASKS = Symbol('nestjs-session-auth: final headers');

/**
 * Has all responses with a prototype ask for their final headers when Node writes their head. Where that is not done, a
 * response gets a `writeHead` of its own, which is dear on Express: each of its responses has a hidden class to itself,
 * and any property added to one makes another.
 */
export function askForFinalHeaders(
  prototype: ServerResponse,
  find: (response: ServerResponse) => FinalHeaders | undefined,
): void {
  if (ASKS in prototype) return;
  // eslint-disable-next-line @typescript-eslint/unbound-method -- it is called with `apply`
  const writeHead = prototype.writeHead as WriteHead;
  Object.defineProperty(prototype, ASKS, { value: true });
  prototype.writeHead = function (this: ServerResponse, ...args: unknown[]): ServerResponse {
    const final = find(this);
    return final === undefined ? writeHead.apply(this, args) : final.writeHead(writeHead, args);
  };
}

/**
 * What the headers of one response must say whatever a handler, an interceptor or a middleware sets afterwards. It
 * takes effect at the last moment, when Node writes the head: on Express, where headers are set on the response, and
 * on Fastify, which hands them over then.
 */
export class FinalHeaders {
  // most responses vary by what one guard says and set no cookie: nothing more is made for them
  #vary = '';
  #cookies: Map<string, string> | undefined;
  #noStore = false;
  #isHooked = false;

  /** @param request that a prototype which asks finds this by: where it is the response's own */
  constructor(
    private readonly response: ServerResponse,
    private readonly request?: object,
  ) {}

  /** The response depends on these request headers, a list as `Vary` has it: they are added to whatever that says. */
  vary(names: string): void {
    if (!isBeginningOf(names, this.#vary)) {
      this.#vary = isBeginningOf(this.#vary, names) ? names : merged([...listOf(this.#vary), ...listOf(names)]);
    }
    this.#hook();
  }

  /** No cache may keep the response: `Cache-Control` becomes `no-store` whatever it was. */
  forbidStore(): void {
    this.#noStore = true;
    this.#hook();
  }

  /** The response sets this cookie, once, next to cookies of other names, and is not stored by any cache. */
  setCookie(name: string, serialized: string): void {
    this.#cookies ??= new Map();
    this.#cookies.set(name, serialized);
    this.forbidStore();
  }

  #hook(): void {
    if (this.#isHooked) return;
    this.#isHooked = true;
    const { response } = this;
    if (ASKS in response && response.req === this.request) return;
    // whatever is there already: other libraries put their own in the way in the same manner
    // eslint-disable-next-line @typescript-eslint/unbound-method -- it is called with `apply`
    const writeHead = response.writeHead as WriteHead;
    response.writeHead = (...args: unknown[]): ServerResponse => {
      response.writeHead = writeHead;
      return this.writeHead(writeHead, args);
    };
  }

  /** Writes the head, once, by what would have written it. */
  writeHead(writeHead: WriteHead, args: unknown[]): ServerResponse {
    const { response } = this;
    const last = args.at(-1);
    const hasHeaders = typeof last === 'object' && last !== null;
    if (hasHeaders && this.#saysNothingElse(last)) {
      return writeHead.apply(response, [...args.slice(0, -1), { ...last, vary: this.#vary }]);
    }
    if (hasHeaders) this.#take(pairsOf(last as OutgoingHttpHeaders | readonly unknown[]));
    this.#apply();
    return writeHead.apply(response, hasHeaders ? args.slice(0, -1) : args);
  }

  /**
   * Whether `Vary` is all there is to add to headers that were handed to `writeHead`, and nothing else is set: what
   * Fastify comes to. Node writes such an object as it is, and takes several times as long for headers one by one.
   */
  #saysNothingElse(headers: object): boolean {
    if (this.#noStore || Array.isArray(headers) || this.response.getHeaderNames().length > 0) return false;
    for (const name in headers) if (name.length === 4 && name.toLowerCase() === 'vary') return false;
    return true;
  }

  /** Moves headers that were handed to `writeHead` to the response, where they can be looked at. */
  #take(pairs: Pairs): void {
    const seen: string[] = [];
    for (const [name, value] of pairs) {
      const key = name.toLowerCase();
      const isRepeated = seen.includes(key);
      seen.push(key);
      if (isRepeated) this.response.appendHeader(name, typeof value === 'number' ? String(value) : value);
      else if (key === 'vary') this.#setVary([...listOf(this.response.getHeader(name)), ...listOf(value)]);
      else this.response.setHeader(name, value);
    }
  }

  #apply(): void {
    const { response } = this;
    if (this.#cookies !== undefined) {
      const names = [...this.#cookies.keys()];
      const others = linesOf(response.getHeader('set-cookie')).filter(
        (line) => !names.some((name) => line.startsWith(`${name}=`)),
      );
      response.setHeader('set-cookie', [...others, ...this.#cookies.values()]);
    }
    if (this.#noStore) {
      response.setHeader('cache-control', 'no-store');
      for (const name of CACHE_OVERRIDES) response.removeHeader(name);
    }
    if (this.#vary === '') return;
    const present = response.getHeader('vary');
    if (present === undefined) response.setHeader('vary', this.#vary);
    else this.#setVary([...listOf(present), ...listOf(this.#vary)]);
  }

  #setVary(names: readonly string[]): void {
    this.response.setHeader('vary', merged(names));
  }
}

/** Whether a list of names is all of another or what that begins with. */
function isBeginningOf(list: string, other: string): boolean {
  return other.startsWith(list) && (other.length === list.length || list === '' || other[list.length] === ',');
}

function merged(names: readonly string[]): string {
  const byKey = new Map<string, string>();
  for (const name of names) if (!byKey.has(name.toLowerCase())) byKey.set(name.toLowerCase(), name);
  return byKey.has('*') ? '*' : [...byKey.values()].join(', ');
}

/** The headers of a `writeHead` call: an object, or an array of names and values in turn, or of pairs. */
function pairsOf(headers: OutgoingHttpHeaders | readonly unknown[]): Pairs {
  if (!Array.isArray(headers)) return Object.entries(headers) as [string, HeaderValue][];
  if (Array.isArray(headers[0])) return headers as [string, HeaderValue][];
  return headers.flatMap((name: unknown, index) =>
    index % 2 === 0 ? [[name, headers[index + 1]] as [string, HeaderValue]] : [],
  );
}

function linesOf(value: HeaderValue | undefined): string[] {
  if (value === undefined) return [];
  return typeof value === 'object' ? [...value] : [String(value)];
}

function listOf(value: HeaderValue | undefined): string[] {
  return linesOf(value)
    .flatMap((line) => line.split(','))
    .map((name) => name.trim())
    .filter((name) => name !== '');
}
