import { refusedWith } from '../connections/refused-connection.js';
import { messageFor } from '../http/http-exception.js';

/** RFC 6455 7.4.1: the client violates the policy of the server. */
export const POLICY_VIOLATION = 1008;

/** The refusal that a client receives: the same as from a guard over HTTP. */
export interface Refusal {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** @param realm the realm that the connection would have been opened for */
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
