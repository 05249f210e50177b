import { hash } from 'node:crypto';
import { SHARD_TAG_LENGTH, shardTagOf } from '../../crypto/session-token.js';
import { SessionAuthError } from '../../errors/session-auth.error.js';
import { DEFAULT_REALM, isRealmName, REALM_NAME_RULE, realmPart } from '../../realms/realm-name.js';

/*
 * Every key of this library in Redis. The client's `keyPrefix`, if it has one, comes before it.
 *
 *   sa:{AB}:s:<20 characters>   a session, by its handle: a string, see redis-session-codec.ts
 *   sa:{AB}:u:<22 characters>   the sessions of a user: a sorted set of handle and device by createdAt
 *   sa:{AB}:r:<22 characters>   a remember-me token, by its selector: a hash, see redis-remember-me-scripts.ts
 *   sa:{AB}:v:<22 characters>   the remember-me tokens of a user: a sorted set of handle and selector by createdAt
 *   sa:{AB}:a:<20 characters>   the reply to the end of sessions, kept for a minute: see redis-session-prelude.ts
 *   sa:{AB}:g:                  the generation of the sessions with this tag, if it is not 0: see redis-generations.ts
 *   sa:{AB}:w:                  that of the remember-me tokens
 *   sa:throttle:…               counts of failed logins, see redis-login-throttle-store.ts
 *   sa:nodes                    the nodes with a near-cache: a hash, see redis-node-registry.ts
 *   sa:link                     a channel, not a key: that of the session link, see redis-channel.ts
 *
 * `sa:` is the namespace; realms other than the default one add `@<realm>:`. `AB` is the shard tag,
 * with which all digests and selectors of a user begin: a Redis Cluster hashes what is in the braces, so all keys of a
 * user are on one node. A script derives one key of a user from another by replacing the end, which works behind any
 * prefix. The session store writes the key of a session by itself, in one step from the digest of each request.
 */

/** The namespace of keys unless the application sets another. */
export const DEFAULT_REDIS_NAMESPACE = 'sa:';

/** The letter in a key for each kind of content. */
export const KIND = {
  session: 's',
  userSessions: 'u',
  rememberMeToken: 'r',
  userRememberMeTokens: 'v',
  answer: 'a',
  sessionGeneration: 'g',
  rememberMeGeneration: 'w',
} as const;

/** One of the letters of {@link KIND}. */
export type Kind = (typeof KIND)[keyof typeof KIND];

/** The length of {@link userKeyOf} in characters. */
export const USER_KEY_LENGTH = 22;

/** Returns the key of a shard tag and what follows it: a handle, a selector or the name of a user. */
export function keyOf(namespace: string, kind: Kind, id: string): string {
  return `${namespace}{${id.slice(0, SHARD_TAG_LENGTH)}}:${kind}:${id.slice(SHARD_TAG_LENGTH)}`;
}

/** Returns a key of which each user has one. */
export function keyOfUser(namespace: string, kind: Kind, userId: string): string {
  return keyOf(namespace, kind, shardTagOf(userId) + userKeyOf(userId));
}

/** Returns the name of a user in keys, 22 characters, so that keys contain no personal data and no odd characters. */
export function userKeyOf(userId: string): string {
  return hash('sha256', `user:${userId}`, 'base64url').slice(0, USER_KEY_LENGTH);
}

/** Returns the key of the counts of failures of a subject: an account or a network, by its digest. */
export function keyOfFailures(namespace: string, subject: string): string {
  return `${namespace}throttle:${subject}`;
}

/** Returns the key of the nodes with a near-cache. */
export function keyOfNodes(namespace: string): string {
  return `${namespace}nodes`;
}

/** Where the keys of a store begin. */
export interface RedisSessionStoreOptions {
  /**
   * The beginning of all keys of the store, after the client's own `keyPrefix`. Applications that share a Redis need
   * different ones. @default 'sa:'
   */
  readonly namespace?: string;
  /** The realm of the keys: each realm other than the default one has an additional part in its keys. */
  readonly realm?: string;
  /**
   * Whether the store reports sessions that end or change to all nodes, as sockets, streams and similar features need.
   * Takes one more connection on each node that watches something, and the rights listed in docs/redis.md. Enable it on
   * all nodes: a node without it reports nothing. @default false
   */
  readonly link?: boolean;
}

/**
 * Returns the prefix of a realm's keys, after checking that it does not change which part of a key a Cluster hashes.
 *
 * @throws SessionAuthError `invalid_configuration` for a namespace with braces or blanks, and for an invalid name of a
 *   realm
 */
export function namespaceOf({
  namespace = DEFAULT_REDIS_NAMESPACE,
  realm = DEFAULT_REALM,
}: RedisSessionStoreOptions): string {
  if (!isRealmName(realm)) {
    throw new SessionAuthError(
      'invalid_configuration',
      `realm: given ${JSON.stringify(realm)}; allowed is ${REALM_NAME_RULE}`,
    );
  }
  if (typeof namespace === 'string' && !/[{}\s]/.test(namespace)) return namespace + realmPart(realm, '@', ':');
  throw new SessionAuthError(
    'invalid_configuration',
    `redisStorage.namespace: given ${JSON.stringify(namespace)}; allowed is text without braces and blanks`,
  );
}
