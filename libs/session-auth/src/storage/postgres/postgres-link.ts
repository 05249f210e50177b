import { LinkHub } from '../../link/link-hub.js';
import type { PostgresAccess } from './postgres-access.js';
import type { PostgresStoreSettings } from './postgres-database.js';
import { PostgresLinkTransport } from './postgres-link-transport.js';

/** Settings of the link of a store in PostgreSQL. */
export interface PostgresLinkOptions {
  /**
   * The address that a node listens at, with user and password. It must lead to the database itself: LISTEN is lost
   * behind a pooler in transaction mode, which is found out when the link is opened. @default as the pool connects; an
   * executor has no default
   */
  readonly url?: string;
}

/** Whether a store in PostgreSQL has a link. */
export interface PostgresLinked {
  /**
   * Whether the store tells all nodes of sessions that end or change, which sockets, streams and the like need. Takes a
   * connection of its own for each node where something is watched. Give it to all nodes: one without it tells nothing.
   * `true` needs a pool; an executor takes `{ url }` and the package `pg`. @default false
   */
  readonly link?: boolean | PostgresLinkOptions;
}

const hubs = new WeakMap<object, Map<string, LinkHub>>();

/**
 * The listening connection of this node to the tables of a schema, whichever realms the stores are of; undefined
 * without a link.
 *
 * @throws SessionAuthError `invalid_configuration` when it is not known how to connect
 */
export function linkHubOf(
  access: PostgresAccess,
  settings: PostgresStoreSettings,
  { link = false }: PostgresLinked,
): LinkHub | undefined {
  if (link === false) return undefined;
  const { url } = typeof link === 'object' ? link : {};
  const ofOwner = hubs.get(access.owner) ?? new Map<string, LinkHub>();
  hubs.set(access.owner, ofOwner);
  const key = JSON.stringify([settings.schema, url]);
  const hub = ofOwner.get(key) ?? new LinkHub(new PostgresLinkTransport(access, settings, access.listeningAt(url)));
  ofOwner.set(key, hub);
  return hub;
}
