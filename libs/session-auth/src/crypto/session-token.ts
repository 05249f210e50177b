import { hash, randomBytes } from 'node:crypto';

export const SHARD_TAG_LENGTH = 2;
const SECRET_BYTES = 32;
const HANDLE_BYTES = 15;

/** Length of a session token in characters: the shard tag and 256 random bits in base64url. */
export const SESSION_TOKEN_LENGTH = SHARD_TAG_LENGTH + 43;

const TOKEN_PATTERN = /^[A-Za-z0-9_-]{45}$/;

/**
 * The 2-character tag by which everything of one user is kept together in a sharded store.
 *
 * It is the beginning of SHA-256 over the user's id, so a session and its user's index can be found from either side.
 * 4096 tags spread users over the 16384 slots of a Redis Cluster; the tag tells nothing useful about the user.
 */
export function shardTagOf(userId: string): string {
  return hash('sha256', `shard:${userId}`, 'base64url').slice(0, SHARD_TAG_LENGTH);
}

/**
 * A fresh session token: shard tag and 256 bits from the system's secure generator (ASVS 7.2.2, 7.2.3).
 *
 * Without a user (an anonymous session) the tag is random.
 */
export function issueSessionToken(userId: string | undefined): string {
  return tokenOfShard(
    userId === undefined ? randomBytes(3).toString('base64url').slice(0, SHARD_TAG_LENGTH) : shardTagOf(userId),
  );
}

/** A fresh token to follow the one of a digest: with its shard tag, so that the session stays where it is kept. */
export function issueNextSessionToken(digest: string): string {
  return tokenOfShard(digest.slice(0, SHARD_TAG_LENGTH));
}

function tokenOfShard(shardTag: string): string {
  return shardTag + randomBytes(SECRET_BYTES).toString('base64url');
}

/** Whether a string has the form of a session token. Says nothing of whether it was ever issued. */
export function isSessionToken(value: string): boolean {
  return TOKEN_PATTERN.test(value);
}

/**
 * What the store knows of a token: its shard tag and the SHA-256 of the whole, 45 characters of base64url.
 *
 * A plain hash is enough for 256 random bits (ASVS 6.5.2): the digest cannot be turned back, so a dump of the store
 * authenticates nobody.
 */
export function digestOf(token: string): string {
  return token.slice(0, SHARD_TAG_LENGTH) + hash('sha256', token, 'base64url');
}

/** A fresh public handle of a session: 120 random bits, 20 characters. Safe to show; never a credential. */
export function issueHandle(): string {
  return randomBytes(HANDLE_BYTES).toString('base64url');
}

/** The session token that carries a secret of 256 bits made elsewhere: 43 characters of base64url. */
export function sessionTokenFrom(userId: string, secret: string): string {
  return shardTagOf(userId) + secret;
}
