import type { ServerResponse } from 'node:http';
import { finished } from 'node:stream';
import { beginningOf } from '../cache/lru-cache.js';
import { SessionAuthError } from '../errors/session-auth.error.js';
import type { FingerprintRequest } from '../fingerprint/fingerprint.options.js';
import type { ClientInfo } from '../users/client.js';
import type { AdapterRequest, AdapterResponse } from './adapter.js';
import { changeExpressHead } from './express-head.js';
import { forwarded } from './forwarded.js';
import { mergedVary, objectOf, type HeaderValue } from './head-lines.js';

const MAX_USER_AGENT = 512;
/** Longer than any IPv6 address with a zone. A trusted proxy may pass on any text that its client sends. */
const MAX_ADDRESS = 64;

/** Cookies by name that a response will set, regardless of other code. */
type FinalCookies = ReadonlyMap<string, FinalCookie>;

interface FinalCookie {
  /** All `Set-Cookie` values of the name. */
  readonly lines: readonly string[];
  /** Called when the head is written: whether it is too late to set the cookie. */
  readonly isLate: () => boolean;
}

type WriteHead = (...args: unknown[]) => ServerResponse;

/** Header fields by which a cache in front of the application overrides `Cache-Control` (RFC 9213). */
const CACHE_OVERRIDES = ['cdn-cache-control', 'surrogate-control'];

/**
 * One HTTP request and its response, the same for Express and Fastify.
 *
 * Calls of {@link vary}, {@link dependOnSession}, {@link forbidStore}, {@link setCookie} and {@link dropCookie} hold
 * even if a handler, an interceptor or a middleware sets the same headers afterwards. They take effect when Node writes
 * the head. Only a middleware that also waits for that moment (`on-headers`) and ran before the guards comes later. It
 * adds to these headers, and must not replace them.
 */
export class HttpExchange implements FingerprintRequest {
  /** The request's headers. Node joins or drops repeated lines of one name; several `Cookie` lines are joined. */
  readonly headers: AdapterRequest['headers'];
  /** The HTTP verb of the request line. Override headers and fields are ignored. */
  readonly method: string;
  /** Node's response inside the adapter's. */
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

  /** The verb of the request line, if a middleware of the application has replaced it. */
  get overriddenMethod(): string | undefined {
    return this.request.originalMethod;
  }

  /** The client's address, according to the adapter's trust in proxies. */
  get ip(): string | undefined {
    return this.request.ip;
  }

  /**
   * `http` or `https`. If the adapter trusts the peer of the connection, this is the first entry of
   * `X-Forwarded-Proto`, which the proxy next to the client wrote.
   */
  get protocol(): string | undefined {
    const { headers, request } = this;
    const isForwarded = headers['x-forwarded-proto'] !== undefined;
    return (isForwarded ? forwarded(request, 'x-forwarded-proto') : undefined) ?? request.protocol;
  }

  /**
   * The host that the client requested. HTTP/2's `:authority` overrides `Host` (RFC 9113 8.3.1); a header of HTTP/1
   * cannot have that name. If the adapter trusts the peer of the connection, this is the first entry of
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

  /** The body from the application's parser, if one ran. */
  get body(): unknown {
    return this.request.body;
  }

  /** The client of the request. The address follows the adapter's trust in proxies. */
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
   * Calls a function when the response is finished, or its connection closes before that.
   *
   * @throws SessionAuthError `response_not_bound`
   */
  whenOver(callback: () => void): void {
    this.requireResponse();
    finished(this.#raw, () => callback());
  }

  /** Cuts the connection if the response is not finished within this many milliseconds. */
  finishWithin(milliseconds: number): void {
    const timer = setTimeout(() => this.#raw.destroy(), milliseconds).unref();
    this.whenOver(() => clearTimeout(timer));
  }

  /** Sets the status now; the application may replace it. */
  setStatus(code: number): void {
    this.response.status?.(code);
  }

  /** Sets a header now; the application may replace it. */
  setHeader(name: string, value: string | readonly string[]): void {
    if (this.response.setHeader !== undefined) {
      this.response.setHeader(name, value);
      return;
    }
    // Fastify appends to Set-Cookie instead of replacing it
    this.response.removeHeader(name);
    this.response.header?.(name, value);
  }

  /** The response depends on these request headers: `Vary` will name them in addition to others. */
  vary(...names: readonly string[]): void {
    this.#awaitHead();
    this.#vary.push(...names);
  }

  /**
   * The response depends on the session of the request: `Vary` names `Cookie`.
   *
   * @param noStore whether no cache, including the browser's, may store it, unless the application sets `Cache-Control`
   */
  dependOnSession(noStore: boolean): void {
    this.#awaitHead();
    this.#vary.push('Cookie');
    this.#isPersonal ||= noStore;
  }

  /** No cache may store the response: `Cache-Control` becomes `no-store`, replacing any other value. */
  forbidStore(): void {
    this.#awaitHead();
    this.#noStore = true;
  }

  /**
   * The response sets this cookie beside cookies of other names, and no cache may store it.
   *
   * @param lines all `Set-Cookie` values of this name
   * @param isLate called when the head is written: whether it is too late to set the cookie
   */
  setCookie(name: string, lines: readonly string[], isLate = (): boolean => false): void {
    this.#cookies ??= new Map();
    this.#cookies.set(name, { lines, isLate });
    this.forbidStore();
  }

  /** The response does not set this cookie, despite earlier calls. */
  dropCookie(name: string): void {
    this.#cookies?.delete(name);
    if (this.#cookies?.size === 0) this.#cookies = undefined;
  }

  #awaitHead(): void {
    if (this.#isHeadAwaited) return;
    this.#isHeadAwaited = true;
    const response = this.#raw;
    // an Express response: docs/decisions/0023-nothing-on-express-messages.md
    if ('app' in response && changeExpressHead(response, (args) => this.#applyTo(args, response))) return;
    // other libraries replace `writeHead` in the same way: the first one to do so runs last
    // eslint-disable-next-line @typescript-eslint/unbound-method -- it is called with `apply`
    const writeHead = response.writeHead as WriteHead;
    const writeOurs: WriteHead = (...args) => {
      response.writeHead = writeHead;
      return writeHead.apply(response, this.#applyTo(args, response));
    };
    // a separate step: V8 puts a function written as a property's value among old objects, where it keeps its whole
    // request in memory until the next full garbage collection
    response.writeHead = writeOurs;
  }

  /**
   * Returns the arguments of `writeHead` with this response's headers. Fastify passes its headers in one object, which
   * Node writes unchanged. Express passes none, so the headers are set on the response.
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

/** Returns the present `Set-Cookie` lines without the library's names, followed by the library's lines. */
function linesWith(cookies: FinalCookies, present: readonly (HeaderValue | undefined)[]): string[] {
  const names = [...cookies.keys()];
  const others = present
    .flat()
    .filter((line) => line !== undefined && !names.some((name) => `${line}`.startsWith(`${name}=`)));
  const ours = [...cookies.values()].filter(({ isLate }) => !isLate());
  return [...others.map(String), ...ours.flatMap(({ lines }) => lines)];
}

const NO_RESPONSE =
  'there is no response in the context of this GraphQL operation, so cookies cannot be set, and its end cannot be observed: ' +
  'return { req, res } (Express) or { req, reply } (Fastify) from the option context of GraphQLModule';
