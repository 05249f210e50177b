import { hash } from 'node:crypto';
import { SHARD_TAG_LENGTH, shardTagOf } from '../../crypto/session-token.js';
import { SessionAuthError } from '../../errors/session-auth.error.js';

/*
 * Every key of this library in Redis. The client's `keyPrefix`, if it has one, comes before it.
 *
 *   sa:{AB}:s:<43 characters>   a session, by its digest: a string, see redis-session-codec.ts
 *   sa:{AB}:u:<22 characters>   the sessions of a user: a sorted set of handle and hash by createdAt
 *   sa:{AB}:r:<22 characters>   a remember-me token, by its selector: a hash, see redis-remember-me-scripts.ts
 *   sa:{AB}:v:<22 characters>   the remember-me tokens of a user: a sorted set of handle and selector by createdAt
 *   sa:throttle:…               counts of failed logins, see redis-login-throttle-store.ts
 *
 * `sa:` is the namespace. `AB` is the shard tag, with which a user's digests and selectors begin: a Redis Cluster
 * hashes what is in the braces, so all keys of a user are on one node. A script that is given one key of a user makes
 * another by exchanging the end, which holds for any prefix.
 */

/** The namespace of keys unless configured otherwise. */
export const DEFAULT_REDIS_NAMESPACE = 'sa:';

/** The letter that tells what a key holds. */
export const KIND = { session: 's', userSessions: 'u', rememberMeToken: 'r', userRememberMeTokens: 'v' } as const;

type Kind = (typeof KIND)[keyof typeof KIND];

/** Characters of {@link userKeyOf}. */
export const USER_KEY_LENGTH = 22;

/** The key of a digest or selector, both of which begin with their shard tag. */
export function keyOf(namespace: string, kind: Kind, id: string): string {
  return `${namespace}{${id.slice(0, SHARD_TAG_LENGTH)}}:${kind}:${id.slice(SHARD_TAG_LENGTH)}`;
}

/** The key of something that a user has one of. */
export function keyOfUser(namespace: string, kind: Kind, userId: string): string {
  return keyOf(namespace, kind, shardTagOf(userId) + userKeyOf(userId));
}

/** How a user is named in keys: 22 characters, so that no personal data and no odd character gets into a key. */
export function userKeyOf(userId: string): string {
  return hash('sha256', `user:${userId}`, 'base64url').slice(0, USER_KEY_LENGTH);
}

/**
 * Returns a namespace that leaves the braces of a key alone.
 *
 * @throws SessionAuthError `invalid_configuration` for one with braces or blanks
 */
export function checkedNamespace(namespace = DEFAULT_REDIS_NAMESPACE): string {
  if (typeof namespace === 'string' && !/[{}\s]/.test(namespace)) return namespace;
  throw new SessionAuthError(
    'invalid_configuration',
    `redisStorage.namespace: given ${JSON.stringify(namespace)}; allowed is text without braces and blanks`,
  );
}
