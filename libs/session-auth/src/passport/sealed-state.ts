import { createCipheriv, createDecipheriv, hash, hkdfSync, randomBytes } from 'node:crypto';

/** The data that goes to the provider and back. */
export interface AuthorizationState {
  /** The code verifier of PKCE, or other data that the strategy needs again. */
  readonly verifier?: unknown;
  /** The state of the application. */
  readonly state?: unknown;
  /** The provider and the client that the state was issued for, if the strategy names them. */
  readonly meta?: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

const ALGORITHM = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;
const TEXT = /^[A-Za-z0-9_-]{40,8192}$/;

/**
 * Seals a state by a key that is derived from the pre-session of one browser. A state that was sealed for one browser
 * cannot be opened for another, and nobody on the way can read the code verifier. The server stores nothing.
 */
export function sealState(preSessionId: string, realm: string, state: AuthorizationState): string {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(ALGORITHM, keyOf(preSessionId, realm), iv);
  const sealed = Buffer.concat([cipher.update(JSON.stringify(state), 'utf8'), cipher.final()]);
  return Buffer.concat([iv, sealed, cipher.getAuthTag()]).toString('base64url');
}

/**
 * Opens a state that {@link sealState} has sealed. Returns the state and a digest that identifies it, or undefined for
 * any other text.
 */
export function openState(
  preSessionId: string,
  realm: string,
  text: unknown,
): { readonly content: AuthorizationState; readonly digest: string } | undefined {
  if (typeof text !== 'string' || !TEXT.test(text)) return undefined;
  const bytes = Buffer.from(text, 'base64url');
  const tag = bytes.subarray(bytes.length - TAG_BYTES);
  const decipher = createDecipheriv(ALGORITHM, keyOf(preSessionId, realm), bytes.subarray(0, IV_BYTES));
  decipher.setAuthTag(tag);
  try {
    const opened = decipher.update(bytes.subarray(IV_BYTES, bytes.length - TAG_BYTES));
    const json = Buffer.concat([opened, decipher.final()]).toString('utf8');
    // of the bytes: several texts may encode the same bytes
    return { content: JSON.parse(json) as AuthorizationState, digest: hash('sha256', bytes, 'base64url') };
  } catch {
    return undefined;
  }
}

function keyOf(preSessionId: string, realm: string): Buffer {
  const info = `nestjs-session-auth authorization state ${realm}`;
  return Buffer.from(hkdfSync('sha256', Buffer.from(preSessionId, 'base64url'), '', info, 32));
}
