import type { IncomingMessage, ServerResponse } from 'node:http';

/** A request as Express (the raw message itself) or Fastify (a wrapper around `raw`) passes it to handlers. */
export interface AdapterRequest {
  readonly raw?: IncomingMessage;
  readonly headers: IncomingMessage['headers'];
  readonly method?: string;
  /** Where a method-override middleware keeps the verb of the request line. */
  readonly originalMethod?: string;
  /** `http` or `https`, according to the adapter's trust in proxies. */
  readonly protocol?: string;
  /** The target of the request line. */
  readonly originalUrl?: string;
  /** According to the adapter's trust in proxies. */
  readonly host?: string;
  readonly ip?: string;
  readonly body?: unknown;
}

/** A response as Express or Fastify passes it to handlers: the common parts, under the names of each. */
export interface AdapterResponse {
  /** Fastify */
  readonly raw?: ServerResponse;
  getHeader(name: string): number | string | string[] | undefined;
  removeHeader(name: string): unknown;
  /** Sets the status. */
  status?(code: number): unknown;
  setHeader?(name: string, value: string | readonly string[]): unknown;
  header?(name: string, value: string | readonly string[]): unknown;
  /** Express */
  readonly headersSent?: boolean;
  /** Fastify */
  readonly sent?: boolean;
  /** Whether it stands for a response that could not be found; nothing can be written then. */
  readonly isAbsent?: boolean;
}
