import { randomBytes } from 'node:crypto';
import { SessionAuthError } from '../../errors/session-auth.error.js';
import {
  CONNECT_TIMEOUT,
  within,
  type LinkConnection,
  type LinkReceiver,
  type LinkTransport,
} from '../../link/link-transport.js';
import { partsOf, signalOf } from '../../link/link-message.js';
import { DEFAULT_REALM } from '../../realms/realm-name.js';
import type { SessionSignal } from '../../session/session-link.js';
import { channelOf } from './link-clauses.js';
import type { ListeningConnection, OpenListening } from './listening-connection.js';
import { PostgresDatabase, type PostgresStoreSettings } from './postgres-database.js';
import { nodesMessageOf, PostgresNodeRegistry } from './postgres-node-registry.js';
import type { PostgresAccess } from './postgres-access.js';
import { statement, type PostgresStatement } from './postgres-statement.js';
import { SESSION_TABLE } from './session-tables.js';
import { StoredKeys } from './stored-keys.js';

interface LinkStatements {
  readonly channel: string;
  readonly probe: PostgresStatement;
}

/**
 * Receives the notifications of the statements, on one listening connection.
 *
 * All notifications of a database are in one queue, in the order of commits. So a notification that the connection
 * sends to itself arrives after all that were committed before.
 */
export class PostgresLinkTransport implements LinkTransport {
  readonly #database: PostgresDatabase<LinkStatements>;
  readonly #keys = new Map<string, StoredKeys>();

  /** @param access that of the stores: notifications of its executor must reach the connection that `open` opens */
  constructor(
    private readonly access: PostgresAccess,
    private readonly settings: PostgresStoreSettings,
    private readonly openListening: OpenListening,
  ) {
    this.#database = new PostgresDatabase(access, settings, SESSION_TABLE, (session) => ({
      channel: channelOf(session),
      // $1 payload
      probe: statement(`SELECT pg_catalog.pg_notify('${channelOf(session)}', $1::text)::text AS told`),
    }));
  }

  registryOf(realm: string): PostgresNodeRegistry {
    const channelOfLink = async (): Promise<string> => (await this.#database.statements()).channel;
    return new PostgresNodeRegistry(this.access, this.settings, realm, channelOfLink);
  }

  async connect(_realms: readonly string[], receiver: LinkReceiver): Promise<LinkConnection> {
    const { channel } = await this.#database.statements();
    const own = `session_auth_${randomBytes(8).toString('hex')}`;
    /** The callbacks that wait for notifications that this node has sent to itself. */
    const awaited = new Map<string, () => void>();
    const heard = (_channel: string, payload: string): void => {
      const arrived = awaited.get(payload);
      if (arrived !== undefined) return arrived();
      const told = nodesMessageOf(payload);
      if (told !== undefined) return receiver.spoken(told.realm, told.message);
      const signal = this.#signalOf(payload);
      if (signal !== undefined) receiver.heard(signal);
    };
    const arrivalOf = async (payload: string, sent: Promise<unknown>): Promise<void> => {
      const arrival = new Promise<void>((resolve) => awaited.set(payload, resolve));
      try {
        await Promise.all([sent, arrival]);
      } finally {
        awaited.delete(payload);
      }
    };
    let connection: ListeningConnection | undefined;
    let isGivenUp = false;
    const listen = async (): Promise<ListeningConnection> => {
      const opened = await this.openListening(heard, receiver.closed);
      connection = opened;
      if (isGivenUp) opened.close();
      await opened.query(`LISTEN "${channel}"; LISTEN "${own}"`);
      return opened;
    };
    try {
      const opened = await within(CONNECT_TIMEOUT, 'connecting', listen());
      await this.#probe(`probe ${own}`, arrivalOf);
      let beats = 0;
      const beat = (): Promise<void> => {
        const nonce = `${own} ${(beats += 1)}`;
        return arrivalOf(nonce, opened.query(`NOTIFY "${own}", '${nonce}'`));
      };
      return { beat, close: () => opened.close() };
    } catch (error) {
      isGivenUp = true;
      connection?.close();
      throw error;
    }
  }

  /**
   * Sends a notification the way the stores do. If it does not arrive, no signal ever would, so the error is found
   * here.
   */
  async #probe(payload: string, arrivalOf: (payload: string, sent: Promise<unknown>) => Promise<void>): Promise<void> {
    const sent = this.#database.run((sql) => sql.probe, [payload]);
    const arrival = arrivalOf(payload, sent);
    arrival.catch(() => undefined);
    await within(CONNECT_TIMEOUT, 'a statement', sent);
    try {
      await within(CONNECT_TIMEOUT, 'a notification', arrival);
    } catch (cause) {
      throw new SessionAuthError(
        'invalid_configuration',
        `${this.access.wording.storage}.link.url: given a connection that receives no notifications, for example behind a pooler in ` +
          'transaction mode; allowed is a direct connection to the database, for a role that may connect to it',
        { cause },
      );
    }
  }

  #signalOf(payload: string): SessionSignal | undefined {
    const [kind, reason, handle, user] = partsOf(payload);
    if (typeof handle !== 'string') return undefined;
    const realm = /^@([a-z0-9-]{1,32}):/.exec(handle)?.[1] ?? DEFAULT_REALM;
    const keys = this.#keysOf(realm);
    const id = keys.decode(handle);
    const userId = typeof user === 'string' ? keys.decodeUser(user) : undefined;
    return signalOf(kind, reason, { realm, id, userId });
  }

  #keysOf(realm: string): StoredKeys {
    const keys = this.#keys.get(realm) ?? new StoredKeys(realm);
    this.#keys.set(realm, keys);
    return keys;
  }
}
