import { LinkHub } from '../../link/link-hub.js';
import type { PostgresAccess } from './postgres-access.js';
import type { PostgresStoreSettings } from './postgres-database.js';
import { PostgresLinkTransport } from './postgres-link-transport.js';

/** Settings of the link of a store in PostgreSQL. */
export interface PostgresLinkOptions {
  /**
   * The address that a node listens at, with user and password. It must lead to the database itself: a pooler in
   * transaction mode loses LISTEN, which is detected when the link is opened. @default the address of the pool; an
   * executor has no default
   */
  readonly url?: string;
}

/** Whether a store in PostgreSQL has a link. */
export interface PostgresLinked {
  /**
   * Whether the store reports sessions that end or change to all nodes, as sockets, streams and similar features need.
   * Takes one more connection on each node that watches something. Enable it on all nodes: a node without it reports
   * nothing. `true` needs a pool; an executor needs `{ url }` and the package `pg`. @default false
   */
  readonly link?: boolean | PostgresLinkOptions;
}

const hubs = new WeakMap<object, Map<string, LinkHub>>();

/**
 * Returns the listening connection of this node to the tables of a schema, which all realms share; undefined without a
 * link.
 *
 * @throws SessionAuthError `invalid_configuration` when the address is not known
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
