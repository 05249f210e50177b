import { keepHook } from '../connections/connection-hook.js';
import type { ConnectionOptions } from '../connections/connection.options.js';
import { isOpening, misplaced, openSocket, type OpenSocket } from './session-socket.js';

const OWNER = 'sessionContext';

/** `subscription.context` of Mercurius. It adds nothing to the context of operations. */
export type MercuriusContext = (socket: OpenSocket, request: object) => Promise<Record<string, never>>;

/**
 * As {@link connectSession}, for Mercurius, whose `onConnect` does not receive the request:
 *
 * ```ts
 * GraphQLModule.forRoot({ driver: MercuriusDriver, subscription: { context: sessionContext() } });
 * ```
 *
 * The client's payload of `connection_init` is ignored. Subscriptions end when the client has confirmed the close, at
 * their next event, or a second later, whichever comes first.
 *
 * @param options as in {@link connectSession}
 */
export function sessionContext(options: ConnectionOptions = {}): MercuriusContext {
  const context: MercuriusContext = async (socket, request) => {
    if (!isOpening(socket, request)) {
      throw misplaced(`${OWNER}() works only as subscription.context of Mercurius`);
    }
    await openSocket(context, socket, request);
    return {};
  };
  return keepHook(context, { owner: OWNER, options });
}
