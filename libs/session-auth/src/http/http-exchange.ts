import type { ServerResponse } from 'node:http';
import { finished } from 'node:stream';
import { beginningOf } from '../cache/lru-cache.js';
import { SessionAuthError } from '../errors/session-auth.error.js';
import type { FingerprintRequest } from '../fingerprint/fingerprint.options.js';
import type { ClientInfo } from '../users/client.js';
import type { AdapterRequest, AdapterResponse } from './adapter.js';
import { canChangeExpressHead, changeExpressHead } from './express-head.js';
import { forwarded } from './forwarded.js';
import { mergedVary, objectOf, type HeaderValue } from './head-lines.js';

const MAX_USER_AGENT = 512;
/** More than an IPv6 address with a zone takes. A trusted proxy may hand on whatever its client calls an address. */
const MAX_ADDRESS = 64;

/** Cookies by name that a response is to set, whatever else sets them. */
type FinalCookies = ReadonlyMap<string, FinalCookie>;

interface FinalCookie {
  /** The `Set-Cookie` values of the name, all there are. */
  readonly lines: readonly string[];
  /** Asked when the head is written: whether the cookie must not be set any more. */
  readonly isLate: () => boolean;
}

type WriteHead = (...args: unknown[]) => ServerResponse;

/** Header fields that let a cache in front of the application overrule `Cache-Control` (RFC 9213). */
const CACHE_OVERRIDES = ['cdn-cache-control', 'surrogate-control'];

/**
 * One HTTP request and its response, the same for Express and Fastify.
 *
 * What the response is told by {@link vary}, {@link dependOnSession}, {@link forbidStore}, {@link setCookie} and {@link
 * dropCookie} holds whatever a handler, an interceptor or a middleware sets afterwards. It takes effect at the last
 * moment, when Node writes the head. Only a middleware that waits for that moment too (`on-headers`) and came before
 * the guards speaks after it: it adds to these headers, and must not replace them.
 */
export class HttpExchange implements FingerprintRequest {
  /**
   * The request's headers. Lines of the same name are joined or dropped as Node does; several of `Cookie` are joined.
   */
  readonly headers: AdapterRequest['headers'];
  /** The HTTP verb of the request line. No override header or field is looked at. */
  readonly method: string;
  /** The response of Node that the adapter's is around. */
  readonly #raw: ServerResponse;
  #client: ClientInfo | undefined;
  #isHeadAwaited = false;
  readonly #vary: string[] = [];
  #cookies: Map<string, FinalCookie> | undefined;
  #noStore = false;
  #isPersonal = false;

  constructor(
    private readonly request: AdapterRequest,
    private readonly response: AdapterResponse,
  ) {
    this.#raw = response.raw ?? (response as unknown as ServerResponse);
    this.headers = request.headers;
    this.method = request.method ?? 'GET';
  }

  /**
   * The verb of the request line where the application has installed a middleware that put another one in its place.
   */
  get overriddenMethod(): string | undefined {
    return this.request.originalMethod;
  }

  /** The client's address, by the adapter's own trust of proxies. */
  get ip(): string | undefined {
    return this.request.ip;
  }

  /**
   * `http` or `https`: where the adapter trusts the peer of the connection, the first entry of `X-Forwarded-Proto`,
   * which the proxy next to the client wrote.
   */
  get protocol(): string | undefined {
    const { headers, request } = this;
    const isForwarded = headers['x-forwarded-proto'] !== undefined;
    return (isForwarded ? forwarded(request, 'x-forwarded-proto') : undefined) ?? request.protocol;
  }

  /**
   * The host that the client asked for. HTTP/2's `:authority` makes `Host` mean nothing (RFC 9113 8.3.1); no header of
   * HTTP/1 can have that name. Where the adapter trusts the peer of the connection, the first entry of
   * `X-Forwarded-Host`.
   */
  get host(): AdapterRequest['headers'][string] {
    const { headers, request } = this;
    const isForwarded = headers['x-forwarded-host'] !== undefined;
    return (isForwarded ? forwarded(request, 'x-forwarded-host') : undefined) ?? headers[':authority'] ?? headers.host;
  }

  /** The path of the request line, without the query. */
  get path(): string {
    return (this.request.originalUrl ?? '/').split('?', 1)[0]!;
  }

  /** The body as the application's parser left it, if one ran. */
  get body(): unknown {
    return this.request.body;
  }

  /** What is known of the client. The address follows the adapter's own trust of proxies. */
  get client(): ClientInfo {
    if (this.#client !== undefined) return this.#client;
    const { ip, headers } = this.request;
    const { 'user-agent': userAgent = '' } = headers;
    const isLong = userAgent.length > MAX_USER_AGENT || (ip !== undefined && ip.length > MAX_ADDRESS);
    this.#client = {
      ip: isLong && ip !== undefined ? beginningOf(ip, MAX_ADDRESS) : ip,
      userAgent: isLong ? beginningOf(userAgent, MAX_USER_AGENT) : headers['user-agent'],
    };
    return this.#client;
  }

  /** @throws SessionAuthError `response_not_bound` */
  requireResponse(): void {
    if (this.response.isAbsent === true) throw new SessionAuthError('response_not_bound', NO_RESPONSE);
  }

  /** Whether it is too late to change headers. */
  get headersSent(): boolean {
    const { raw, sent, headersSent } = this.response;
    return headersSent ?? (sent === true || raw?.headersSent === true);
  }

  /**
   * Has a function called when the response is finished, or its connection closed before that.
   *
   * @throws SessionAuthError `response_not_bound`
   */
  whenOver(callback: () => void): void {
    this.requireResponse();
    finished(this.#raw, () => callback());
  }

  /** Cuts the connection of a response that is not finished in so many milliseconds. */
  finishWithin(milliseconds: number): void {
    const timer = setTimeout(() => this.#raw.destroy(), milliseconds).unref();
    this.whenOver(() => clearTimeout(timer));
  }

  /** Sets the status at once: the application may replace it. */
  setStatus(code: number): void {
    this.response.status?.(code);
  }

  /** Sets a header at once: the application may replace it. */
  setHeader(name: string, value: string | readonly string[]): void {
    if (this.response.setHeader !== undefined) {
      this.response.setHeader(name, value);
      return;
    }
    // Fastify appends to Set-Cookie instead of replacing it
    this.response.removeHeader(name);
    this.response.header?.(name, value);
  }

  /** The response depends on these request headers: `Vary` will name them besides what else it names. */
  vary(...names: readonly string[]): void {
    this.#awaitHead();
    this.#vary.push(...names);
  }

  /**
   * The response depends on whose session the request has: `Vary` names `Cookie`.
   *
   * @param noStore whether no cache may keep it, the browser's neither, unless the application sets `Cache-Control`
   */
  dependOnSession(noStore: boolean): void {
    this.#awaitHead();
    this.#vary.push('Cookie');
    this.#isPersonal ||= noStore;
  }

  /** No cache may keep the response: `Cache-Control` becomes `no-store` whatever it was. */
  forbidStore(): void {
    this.#awaitHead();
    this.#noStore = true;
  }

  /**
   * The response sets this cookie beside cookies of other names, and no cache may keep it.
   *
   * @param lines the `Set-Cookie` values of this name, all there are
   * @param isLate asked when the head is written: whether the cookie must not be set any more
   */
  setCookie(name: string, lines: readonly string[], isLate = (): boolean => false): void {
    this.#cookies ??= new Map();
    this.#cookies.set(name, { lines, isLate });
    this.forbidStore();
  }

  /** The response does not set this cookie, whatever was said before. */
  dropCookie(name: string): void {
    this.#cookies?.delete(name);
    if (this.#cookies?.size === 0) this.#cookies = undefined;
  }

  #awaitHead(): void {
    if (this.#isHeadAwaited) return;
    this.#isHeadAwaited = true;
    const response = this.#raw;
    // a response of Express: docs/decisions/0023-nothing-on-express-messages.md
    if ('app' in response && canChangeExpressHead(response)) {
      changeExpressHead(response, (args) => this.#applyTo(args, response));
      return;
    }
    // other libraries replace `writeHead` in the same way: the one that was first is called last
    // eslint-disable-next-line @typescript-eslint/unbound-method -- it is called with `apply`
    const writeHead = response.writeHead as WriteHead;
    const writeOurs: WriteHead = (...args) => {
      response.writeHead = writeHead;
      return writeHead.apply(response, this.#applyTo(args, response));
    };
    // not in one step with the line above: V8 allocates a function that is written as the value of a property among old
    // objects, where it keeps all of its request alive until the next full garbage collection
    response.writeHead = writeOurs;
  }

  /**
   * The arguments of `writeHead` with what this response must say. Fastify hands its headers over in one object, which
   * Node writes as it is; Express hands over none, and has what is said set on the response.
   */
  #applyTo(args: unknown[], response: ServerResponse): unknown[] {
    const given = args.at(-1);
    const isGiven = typeof given === 'object' && given !== null;
    const headers: Record<string, HeaderValue> = {};
    const ofOthers = response.getHeader('vary');
    const vary: HeaderValue[] = ofOthers === undefined ? [] : [ofOthers];
    const present: HeaderValue[] = [];
    const source = Array.isArray(given) ? objectOf(given) : isGiven ? (given as Record<string, HeaderValue>) : {};
    let isSilent = !response.hasHeader('cache-control');
    for (const name in source) {
      const key = name.toLowerCase();
      const value = source[name]!;
      if (key === 'cache-control') isSilent = false;
      if (key === 'vary') vary.push(String(value));
      else if (key === 'set-cookie' && this.#cookies !== undefined) present.push(value);
      else if (!this.#noStore || (key !== 'cache-control' && !CACHE_OVERRIDES.includes(key))) headers[name] = value;
    }
    const names = vary.length === 0 ? [...new Set(this.#vary)].join(', ') : mergedVary(vary, this.#vary);
    if (names !== '') headers['vary'] = names;
    if (this.#cookies !== undefined) {
      const lines = linesWith(this.#cookies, present.length > 0 ? present : [response.getHeader('set-cookie')]);
      if (lines.length > 0) headers['set-cookie'] = lines;
      else response.removeHeader('set-cookie');
    }
    if (this.#noStore) {
      headers['cache-control'] = 'no-store';
      for (const name of CACHE_OVERRIDES) response.removeHeader(name);
    } else if (this.#isPersonal && isSilent) {
      headers['cache-control'] = 'no-store';
    }
    if (isGiven) return [...args.slice(0, -1), headers];
    for (const name in headers) response.setHeader(name, headers[name]!);
    return args;
  }
}

/** The `Set-Cookie` lines that are there, without those of our names, and ours. */
function linesWith(cookies: FinalCookies, present: readonly (HeaderValue | undefined)[]): string[] {
  const names = [...cookies.keys()];
  const others = present
    .flat()
    .filter((line) => line !== undefined && !names.some((name) => `${line}`.startsWith(`${name}=`)));
  const ours = [...cookies.values()].filter(({ isLate }) => !isLate());
  return [...others.map(String), ...ours.flatMap(({ lines }) => lines)];
}

const NO_RESPONSE =
  'the context of this GraphQL operation has no response, so no cookie can be set, and nothing tells when it is over: ' +
  'return { req, res } (Express) or { req, reply } (Fastify) from the option context of GraphQLModule';
