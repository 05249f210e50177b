import { hash, randomBytes } from 'node:crypto';

/*
 * A session token is `shard tag`, `handle` and `secret`: 2, 20 and 43 characters of base64url. Tag and handle say where
 * the session is stored, and never change. The secret proves that the client was given the token, and is new in every
 * token.
 *
 * A digest has the same form, with SHA-256 of the whole token instead of the secret.
 */

export const SHARD_TAG_LENGTH = 2;

/** The length of a public handle in characters. */
export const HANDLE_LENGTH = 20;

/** The length of the first part of a token and its digest: shard tag and handle. */
const ADDRESS_LENGTH = SHARD_TAG_LENGTH + HANDLE_LENGTH;

/** The length of a secret, and of its hash, in characters: 256 bits in base64url. */
export const HASH_LENGTH = 43;

/** The length of a session token, and of its digest, in characters. */
export const SESSION_TOKEN_LENGTH = ADDRESS_LENGTH + HASH_LENGTH;

/** Bytes of a secret. */
export const SECRET_BYTES = 32;

/** Bytes of a handle. */
export const HANDLE_BYTES = 15;

const TOKEN_PATTERN = /^[A-Za-z0-9_-]{65}$/;

/**
 * Returns the 2-character tag that keeps all records of one user together in a sharded store.
 *
 * It is the beginning of SHA-256 over the user's id, so a session and its user's index each lead to the other. 4096
 * tags spread users over the 16384 slots of a Redis Cluster. The tag reveals nothing useful about the user.
 */
export function shardTagOf(userId: string): string {
  return hash('sha256', `shard:${userId}`, 'base64url').slice(0, SHARD_TAG_LENGTH);
}

/**
 * Makes a token for a new session, with a new handle and 256 bits from the system's secure generator (ASVS 7.2.2,
 * 7.2.3).
 *
 * Without a user (an anonymous session) the shard tag is random.
 */
export function issueSessionToken(userId: string | undefined): string {
  const tag =
    userId === undefined ? randomBytes(3).toString('base64url').slice(0, SHARD_TAG_LENGTH) : shardTagOf(userId);
  return tag + issueHandle() + newSecret();
}

/** Makes a new token for the session of a token or digest. */
export function issueNextSessionToken(tokenOrDigest: string): string {
  return tokenOrDigest.slice(0, ADDRESS_LENGTH) + newSecret();
}

/** Makes a token for a user's session from an existing secret of 256 bits: 43 characters of base64url. */
export function sessionTokenFrom(userId: string, handle: string, secret: string): string {
  return shardTagOf(userId) + handle + secret;
}

/** A token in its parts. */
export interface TokenParts {
  readonly shardTag: string;
  readonly handle: string;
  readonly secret: string;
}

/** Returns the parts of a token. */
export function splitToken(token: string): TokenParts {
  return {
    shardTag: token.slice(0, SHARD_TAG_LENGTH),
    handle: handleOf(token),
    secret: token.slice(ADDRESS_LENGTH),
  };
}

/** Returns the token of these parts. */
export function joinToken({ shardTag, handle, secret }: TokenParts): string {
  return shardTag + handle + secret;
}

/** Whether a string has the form of a session token. It need not ever have been issued. */
export function isSessionToken(value: string): boolean {
  return TOKEN_PATTERN.test(value);
}

/**
 * Returns the stored form of a token: shard tag, handle, and the SHA-256 of the whole token, 65 characters of
 * base64url.
 *
 * A plain hash is enough for 256 random bits (ASVS 6.5.2): it cannot be reversed, so a copy of the store authenticates
 * nobody.
 */
export function digestOf(token: string): string {
  return token.slice(0, ADDRESS_LENGTH) + hash('sha256', token, 'base64url');
}

/** Returns the public handle of the session of a token or digest. */
export function handleOf(tokenOrDigest: string): string {
  return tokenOrDigest.slice(SHARD_TAG_LENGTH, ADDRESS_LENGTH);
}

/** Returns a digest that names a user's session by its handle and matches none of its tokens. */
export function addressOf(userId: string, handle: string): string {
  return shardTagOf(userId) + handle + '.'.repeat(HASH_LENGTH);
}

/** The part of a digest that differs between the tokens of a session, 43 characters. */
export function hashOf(digest: string): string {
  return digest.slice(ADDRESS_LENGTH);
}

/** Returns the digest of another token of the same session, from its hash. */
export function digestWith(digest: string, hash: string): string {
  return digest.slice(0, ADDRESS_LENGTH) + hash;
}

/** A fresh public handle: 120 random bits, 20 characters. Safe to show; never a credential. */
export function issueHandle(): string {
  return randomBytes(HANDLE_BYTES).toString('base64url');
}

function newSecret(): string {
  return randomBytes(SECRET_BYTES).toString('base64url');
}

/** Bytes of a mark. */
export const MARK_BYTES = 16;

/**
 * Returns a mark that identifies a user in a sealed cookie: the first 128 bits of SHA-256 over the id, or over its
 * absence. It reveals a store that returns another user's record.
 */
export function markOfUser(userId: string | undefined): Buffer {
  return hash('sha256', userId === undefined ? 'nobody' : `user:${userId}`, 'buffer').subarray(0, MARK_BYTES);
}
