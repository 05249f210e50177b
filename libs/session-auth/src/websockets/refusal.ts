import { refusedWith } from '../connections/refused-connection.js';
import { messageFor } from '../http/http-exception.js';

/** RFC 6455 7.4.1: the client does what the policy of the server forbids. */
export const POLICY_VIOLATION = 1008;

/** What a client is told whose connection is not opened: what a guard would tell it over HTTP. */
export interface Refusal {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** @param realm the one that the connection would have been opened for */
export function refusalOf(error: unknown, realm: string): Refusal {
  const known = refusedWith(error);
  const { statusCode, code, retryAfterSeconds } = known;
  const body = JSON.stringify({ statusCode, code, message: messageFor(known), realm });
  const headers: Record<string, string> = {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': String(Buffer.byteLength(body)),
    'Cache-Control': 'no-store',
  };
  if (retryAfterSeconds !== undefined) headers['Retry-After'] = String(retryAfterSeconds);
  return { statusCode, headers, body };
}
