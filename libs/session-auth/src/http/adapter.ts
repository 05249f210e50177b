import type { IncomingMessage, ServerResponse } from 'node:http';

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
  /** Sets the status. */
  status?(code: number): unknown;
  setHeader?(name: string, value: string | readonly string[]): unknown;
  header?(name: string, value: string | readonly string[]): unknown;
  /** Express */
  readonly headersSent?: boolean;
  /** Fastify */
  readonly sent?: boolean;
  /** Nothing can be written: it stands for a response that could not be found. */
  readonly isAbsent?: boolean;
}
