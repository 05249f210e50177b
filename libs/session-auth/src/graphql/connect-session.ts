import { keepHook } from '../connections/connection-hook.js';
import type { ConnectionOptions } from '../connections/connection.options.js';
import { isOpening, misplaced, openSocket, type OpenSocket } from './session-socket.js';

const OWNER = 'connectSession';

/** The part of graphql-ws's context for `onConnect` that is used. */
export interface GraphqlWsContext {
  /** The socket, and the request that opened it. */
  readonly extra: unknown;
  /** The operations under way, by their id. */
  readonly subscriptions: Record<string, unknown>;
}

/** `onConnect` of graphql-ws: false when the connection was refused. */
export type GraphqlWsOnConnect = (context: GraphqlWsContext) => Promise<boolean>;

/**
 * Ties the operations of graphql-ws to the session that their WebSocket was opened with, and closes the WebSocket when
 * that session ends on any node:
 *
 * ```ts
 * GraphQLModule.forRoot({ driver: ApolloDriver, subscriptions: { 'graphql-ws': { onConnect: connectSession() } } });
 * ```
 *
 * The request that opened the WebSocket is checked once, before any operation: its origin and its cookie, never the
 * client's `connectionParams`. A refused WebSocket is closed with the error's code as the reason: 4403 `csrf_failed`
 * for a page of another origin, 4401 `session_required`, 1013 `session_store_unavailable`. When the session ends it is
 * closed with 4401 `session_ended`: its subscriptions end, and no further operation runs.
 *
 * @param options invalid options, or a storage without the session link, are refused at boot with
 *   `invalid_configuration`. If a function calls this one later, they are found when the first WebSocket opens, which
 *   is closed with 1011.
 */
export function connectSession(options: ConnectionOptions = {}): GraphqlWsOnConnect {
  const onConnect: GraphqlWsOnConnect = async (context) => {
    // another library may call this with data of its client
    const { socket, request } = ((context as GraphqlWsContext | undefined)?.extra ?? {}) as Extra;
    if (!isOpening(socket, request)) {
      throw misplaced(
        `${OWNER}() works only as onConnect of graphql-ws on a server of ws: subscriptions-transport-ws is ` +
          'not supported, and Mercurius needs sessionContext()',
      );
    }
    return openSocket(onConnect, socket, request, () => endOperations(context)).then(
      () => true,
      () => false,
    );
  };
  return keepHook(onConnect, { owner: OWNER, options });
}

interface Extra {
  readonly socket: OpenSocket;
  readonly request: object;
}

/** Ends operations at once; graphql-ws by itself waits until the client has confirmed the close. */
function endOperations({ subscriptions }: GraphqlWsContext): void {
  for (const [id, operation] of Object.entries(subscriptions)) {
    // graphql-ws does not continue an operation that is missing here
    delete subscriptions[id];
    void (operation as AsyncIterator<unknown> | null)?.return?.().catch(() => undefined);
  }
}
