import { randomBytes } from 'node:crypto';
import { CookieSet } from '../../libs/session-auth/src/http/cookie-set.js';
import type { Bank } from './bank.js';
import { SESSION_COOKIE } from './bank-client.js';

/**
 * Where the 15 bytes of the handle are in a sealed session cookie: behind version, key id, nonce, layout and shard tag.
 */
const HANDLE_AT = 1 + 4 + 12 + 1 + 2;
const HANDLE_BYTES = 15;

/**
 * Forgeries of a genuine session cookie: its length, version and key id, and a content that reads as a session with
 * another handle. So nothing but the seal tells them from cookies that were issued: without it, the store is asked.
 */
export function forgeries(genuine: string, count: number): string[] {
  return Array.from({ length: count }, () => altered(genuine, randomBytes(HANDLE_BYTES)));
}

/**
 * A genuine cookie of one session made to name another one: handles are public, and the cipher only adds a keystream.
 */
export function retargeted(genuine: string, handle: string, other: string): string {
  const [from, to] = [Buffer.from(handle, 'base64url'), Buffer.from(other, 'base64url')];
  return altered(genuine, Buffer.from(from.map((byte, index) => byte ^ to[index]!)));
}

function altered(genuine: string, difference: Buffer): string {
  const bytes = Buffer.from(genuine, 'base64url');
  for (const [index, byte] of difference.entries()) bytes[HANDLE_AT + index]! ^= byte;
  return bytes.toString('base64url');
}

/**
 * The session token in a sealed cookie, which looks another each time that it is sealed. Undefined: a node refuses it.
 */
export function tokenIn(bank: Pick<Bank, 'app' | 'clock'>, sealed: string, name = SESSION_COOKIE): string | undefined {
  const { session } = bank.app.get(CookieSet, { strict: false });
  return session.read(`${name}=${sealed}`, bank.clock.now())?.token;
}
