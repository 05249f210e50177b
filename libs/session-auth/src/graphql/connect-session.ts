import { keepHook } from '../connections/connection-hook.js';
import type { ConnectionOptions } from '../connections/connection.options.js';
import { isOpening, misplaced, openSocket, type OpenSocket } from './session-socket.js';

const OWNER = 'connectSession';

/** What graphql-ws hands to `onConnect`, as far as it is needed. */
export interface GraphqlWsContext {
  /** The socket, and the request that opened it. */
  readonly extra: unknown;
  /** The operations under way, by their id. */
  readonly subscriptions: Record<string, unknown>;
}

/** `onConnect` of graphql-ws: false where the connection was refused. */
export type GraphqlWsOnConnect = (context: GraphqlWsContext) => Promise<boolean>;

/**
 * Has the operations of graphql-ws belong to the session that their WebSocket was opened with, and closes that when the
 * session ends, on whichever node it ends:
 *
 * ```ts
 * GraphQLModule.forRoot({ driver: ApolloDriver, subscriptions: { 'graphql-ws': { onConnect: connectSession() } } });
 * ```
 *
 * The request that opened the WebSocket is checked once, before any operation: its origin and its cookie, never what
 * the client says in `connectionParams`. A WebSocket that is refused is closed with the error's code as the reason:
 * 4403 `csrf_failed` for a page of another origin, 4401 `session_required`, 1013 `session_store_unavailable`. When the
 * session ends it is closed with 4401 `session_ended`: its subscriptions end, and no operation runs any more.
 *
 * @param options that are wrong, or a storage without the session link, are refused at boot with
 *   `invalid_configuration`. In a function that calls this one they are found when the first WebSocket opens, which is
 *   closed with 1011
 */
export function connectSession(options: ConnectionOptions = {}): GraphqlWsOnConnect {
  const onConnect: GraphqlWsOnConnect = async (context) => {
    // another library may call this with what its client has sent
    const { socket, request } = ((context as GraphqlWsContext | undefined)?.extra ?? {}) as Extra;
    if (!isOpening(socket, request)) {
      throw misplaced(
        `${OWNER}() is onConnect of graphql-ws on a server of ws, and of nothing else: subscriptions-transport-ws is ` +
          'not supported, and Mercurius takes sessionContext()',
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

/** Ends operations at once: by itself, graphql-ws does it when the client has answered the close. */
function endOperations({ subscriptions }: GraphqlWsContext): void {
  for (const [id, operation] of Object.entries(subscriptions)) {
    // what graphql-ws does not find here any more, it does not go on with
    delete subscriptions[id];
    void (operation as AsyncIterator<unknown> | null)?.return?.().catch(() => undefined);
  }
}
