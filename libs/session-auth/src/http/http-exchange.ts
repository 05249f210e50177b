import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FingerprintRequest } from '../fingerprint/fingerprint.options.js';
import type { ClientInfo } from '../users/client-info.js';
import { FinalHeaders } from './final-headers.js';

/** A request as Express (the raw message itself) or Fastify (a wrapper around `raw`) hands it to handlers. */
export interface AdapterRequest {
  readonly raw?: IncomingMessage;
  readonly headers: IncomingMessage['headers'];
  readonly method?: string;
  /** Where a method-override middleware keeps the verb of the request line. */
  readonly originalMethod?: string;
  /** `http` or `https`, by the adapter's own trust of proxies. */
  readonly protocol?: string;
  /** The target of the request line. */
  readonly originalUrl?: string;
  /** By the adapter's own trust of proxies. */
  readonly host?: string;
  readonly ip?: string;
  readonly body?: unknown;
}

/** A response as Express or Fastify hands it to handlers: what both have, under the names each has for it. */
export interface AdapterResponse {
  /** Fastify */
  readonly raw?: ServerResponse;
  getHeader(name: string): number | string | string[] | undefined;
  removeHeader(name: string): unknown;
  setHeader?(name: string, value: string | readonly string[]): unknown;
  header?(name: string, value: string | readonly string[]): unknown;
  /** Express */
  readonly headersSent?: boolean;
  /** Fastify */
  readonly sent?: boolean;
}

const MAX_USER_AGENT = 512;
/** More than an IPv6 address with a zone takes. A trusted proxy may hand on whatever its client calls an address. */
const MAX_ADDRESS = 64;

/** A host that no client asks for. */
const PROBE = 'probe.invalid';

/** One HTTP request and its response, the same for Express and Fastify, with nothing installed on either. */
export class HttpExchange implements FingerprintRequest {
  /** The request's headers. Lines of the same name are joined or dropped as Node does; several of `Cookie` are joined. */
  readonly headers: AdapterRequest['headers'];
  /** The HTTP verb of the request line. No override header or field is looked at. */
  readonly method: string;
  #finalHeaders: FinalHeaders | undefined;
  #client: ClientInfo | undefined;

  constructor(
    private readonly request: AdapterRequest,
    private readonly response: AdapterResponse,
  ) {
    this.headers = request.headers;
    this.method = request.method ?? 'GET';
  }

  /** The verb of the request line where the application has installed a middleware that put another one in its place. */
  get overriddenMethod(): string | undefined {
    return this.request.originalMethod;
  }

  /** The client's address, by the adapter's own trust of proxies. */
  get ip(): string | undefined {
    return this.request.ip;
  }

  /**
   * `http` or `https`: where the adapter trusts the peer of the connection, the first entry of `X-Forwarded-Proto`, which
   * the proxy next to the client wrote.
   */
  get protocol(): string | undefined {
    return this.#forwarded('x-forwarded-proto') ?? this.request.protocol;
  }

  /**
   * The host that the client asked for. HTTP/2's `:authority` makes `Host` mean nothing (RFC 9113 8.3.1); no header of
   * HTTP/1 can have that name. Where the adapter trusts the peer of the connection, the first entry of `X-Forwarded-Host`.
   */
  get host(): AdapterRequest['headers'][string] {
    return this.#forwarded('x-forwarded-host') ?? this.headers[':authority'] ?? this.headers.host;
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
    const { request } = this;
    this.#client ??= {
      ip: request.ip?.slice(0, MAX_ADDRESS),
      userAgent: request.headers['user-agent']?.slice(0, MAX_USER_AGENT),
    };
    return this.#client;
  }

  /** Whether it is too late to change headers. */
  get headersSent(): boolean {
    const { raw, sent, headersSent } = this.response;
    return headersSent ?? (sent === true || raw?.headersSent === true);
  }

  setHeader(name: string, value: string | readonly string[]): void {
    if (this.response.setHeader !== undefined) {
      this.response.setHeader(name, value);
      return;
    }
    // Fastify appends to Set-Cookie instead of replacing it
    this.response.removeHeader(name);
    this.response.header?.(name, value);
  }

  #forwarded(name: 'x-forwarded-host' | 'x-forwarded-proto'): string | undefined {
    const list = this.headers[name];
    if (list === undefined || !this.#isPeerTrusted()) return undefined;
    return String(list).split(',', 1)[0]!.trim() || undefined;
  }

  /**
   * Whether the adapter believes the peer of the connection, by its own setting. No adapter tells that, so it is asked
   * for the host of the same request with a header that it believes of a trusted peer only.
   */
  #isPeerTrusted(): boolean {
    const headers = { value: { 'x-forwarded-host': PROBE } };
    return (Object.create(this.request, { headers }) as AdapterRequest).host === PROBE;
  }

  /** What the response must say, whatever the application sets. */
  get finalHeaders(): FinalHeaders {
    this.#finalHeaders ??= new FinalHeaders(this.response.raw ?? (this.response as unknown as ServerResponse));
    return this.#finalHeaders;
  }
}
