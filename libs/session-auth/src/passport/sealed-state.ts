import { createCipheriv, createDecipheriv, hash, hkdfSync, randomBytes } from 'node:crypto';

/** What goes through the provider and back. */
export interface AuthorizationState {
  /** PKCE's code verifier, or what else the strategy has to know again. */
  readonly verifier?: unknown;
  /** The application's own. */
  readonly state?: unknown;
  /** Which provider and client it was for, where the strategy says so. */
  readonly meta?: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

const ALGORITHM = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;
const TEXT = /^[A-Za-z0-9_-]{40,8192}$/;

/**
 * Seals a state by a key that only the browser of this pre-session has part in: what was sealed for one browser cannot
 * be opened for another, and nobody on the way reads the code verifier. Nothing is kept on the server.
 */
export function sealState(preSessionId: string, realm: string, state: AuthorizationState): string {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(ALGORITHM, keyOf(preSessionId, realm), iv);
  const sealed = Buffer.concat([cipher.update(JSON.stringify(state), 'utf8'), cipher.final()]);
  return Buffer.concat([iv, sealed, cipher.getAuthTag()]).toString('base64url');
}

/** What {@link sealState} has sealed, and a digest that names it; undefined for everything else. */
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
    // by its bytes: one text may be spelled in several ways
    return { content: JSON.parse(json) as AuthorizationState, digest: hash('sha256', bytes, 'base64url') };
  } catch {
    return undefined;
  }
}

function keyOf(preSessionId: string, realm: string): Buffer {
  const info = `nestjs-session-auth authorization state ${realm}`;
  return Buffer.from(hkdfSync('sha256', Buffer.from(preSessionId, 'base64url'), '', info, 32));
}
