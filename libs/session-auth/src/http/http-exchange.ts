import type { IncomingMessage } from 'node:http';
import type { ClientInfo } from '../users/client-info.js';

/** A request as Express (the raw message itself) or Fastify (a wrapper around `raw`) hands it to handlers. */
export interface AdapterRequest {
  readonly raw?: IncomingMessage;
  readonly headers: IncomingMessage['headers'];
  readonly method?: string;
  readonly ip?: string;
  readonly body?: unknown;
}

/** A response as Express or Fastify hands it to handlers: what both have, under the names each has for it. */
export interface AdapterResponse {
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

/** One HTTP request and its response, the same for Express and Fastify, with nothing installed on either. */
export class HttpExchange {
  constructor(
    private readonly request: AdapterRequest,
    private readonly response: AdapterResponse,
  ) {}

  /** The HTTP verb of the request line. No override header or field is looked at. */
  get method(): string {
    return this.request.method ?? 'GET';
  }

  /** The `Cookie` header; several lines of it are joined by `; `. */
  get cookieHeader(): string | undefined {
    return this.request.headers.cookie;
  }

  /** What is known of the client. The address follows the adapter's own trust of proxies. */
  get client(): ClientInfo {
    return { ip: this.request.ip, userAgent: this.request.headers['user-agent']?.slice(0, MAX_USER_AGENT) };
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

  /** Sets a cookie: the only one of its name in the response (RFC 6265bis 4.1.1), next to whatever others there are. */
  setCookie(name: string, serialized: string): void {
    const present = this.response.getHeader('set-cookie');
    const cookies = present === undefined ? [] : Array.isArray(present) ? present : [String(present)];
    this.setHeader('set-cookie', [...cookies.filter((cookie) => !cookie.startsWith(`${name}=`)), serialized]);
    this.setHeader('cache-control', 'no-store');
  }
}
