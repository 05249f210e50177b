import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ClientInfo } from '../users/client-info.js';
import type { FingerprintRequest } from '../fingerprint/fingerprint.options.js';
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

/** The traits of a request's client, each looked up when it is asked for: an address takes Express some work. */
class ClientTraits implements FingerprintRequest {
  // read once: whatever is read of a request or response of Express is looked for anew, each being a class of its own
  readonly headers: FingerprintRequest['headers'];

  constructor(private readonly request: AdapterRequest) {
    this.headers = request.headers;
  }

  get ip(): string | undefined {
    return this.request.ip;
  }

  get method(): string {
    return this.request.method ?? 'GET';
  }
}

/** One HTTP request and its response, the same for Express and Fastify, with nothing installed on either. */
export class HttpExchange {
  #finalHeaders: FinalHeaders | undefined;
  #client: ClientInfo | undefined;

  constructor(
    private readonly request: AdapterRequest,
    private readonly response: AdapterResponse,
  ) {}

  /** The HTTP verb of the request line. No override header or field is looked at. */
  get method(): string {
    return this.request.method ?? 'GET';
  }

  /** The verb of the request line where the application has installed a middleware that put another one in its place. */
  get overriddenMethod(): string | undefined {
    return this.request.originalMethod;
  }

  /** What signals of the client are read from. */
  get traits(): FingerprintRequest {
    return new ClientTraits(this.request);
  }

  /** `http` or `https`, by the adapter's own trust of proxies. */
  get protocol(): string | undefined {
    return this.request.protocol;
  }

  /** The body as the application's parser left it, if one ran. */
  get body(): unknown {
    return this.request.body;
  }

  /** A request header by its name in lower case. Lines of the same name are joined or dropped as Node does. */
  requestHeader(name: string): string | readonly string[] | undefined {
    return this.request.headers[name];
  }

  /** The `Cookie` header; several lines of it are joined by `; `. */
  get cookieHeader(): string | undefined {
    return this.request.headers.cookie;
  }

  /** What is known of the client. The address follows the adapter's own trust of proxies. */
  get client(): ClientInfo {
    const { request } = this;
    this.#client ??= { ip: request.ip, userAgent: request.headers['user-agent']?.slice(0, MAX_USER_AGENT) };
    return this.#client;
  }

  /** Whether it is too late to change headers. */
  get headersSent(): boolean {
    return this.response.headersSent ?? this.response.sent ?? false;
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

  /** The response depends on these request headers, a list: `Vary` will name them besides what else it names. */
  vary(names: string): void {
    this.#final.vary(names);
  }

  /** No cache may keep the response, whatever `Cache-Control` the handler sets. */
  forbidStore(): void {
    this.#final.forbidStore();
  }

  /**
   * Sets a cookie: the only one of its name in the response (RFC 6265bis 4.1.1), next to whatever others there are.
   * The response is not stored by any cache then.
   */
  setCookie(name: string, serialized: string): void {
    this.#final.setCookie(name, serialized);
  }

  /** What the response must say when its head is written; undefined where nobody has asked for anything. */
  get finalHeaders(): FinalHeaders | undefined {
    return this.#finalHeaders;
  }

  get #final(): FinalHeaders {
    this.#finalHeaders ??= new FinalHeaders(
      this.response.raw ?? (this.response as unknown as ServerResponse),
      this.request,
    );
    return this.#finalHeaders;
  }
}
