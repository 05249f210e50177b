import { Logger, type INestApplicationContext, type WebSocketAdapter } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { ConnectionOptions } from '../connections/connection.options.js';
import { Handshake } from '../connections/handshake.js';
import { connectionOf } from '../http/connection.js';
import { RealmRegistry } from '../http/realm-registry.js';
import { checkGateways } from './gateway-realms.js';
import { engineOf, followSocketIo, isSocketIo, keepSocket, refusingSocketIo } from './socket-io.js';
import { followWs, refusingWs, type WsServer } from './ws.js';

const OWNER = 'withSessions';

type Handler = Parameters<WebSocketAdapter['bindMessageHandlers']>[1][number];

/**
 * Opens every WebSocket of an application with a session, and closes it when that session ends on any node:
 *
 * ```ts
 * app.useWebSocketAdapter(withSessions(new IoAdapter(app), app));
 * ```
 *
 * Call it before the application is initialised. The opening request is checked once: a page of another origin gets
 * 403, a client without a session 401, and while the store is down everybody gets 503. Guards and decorators then work
 * in gateways as in controllers, and read nothing from the store while the session does not change. When the session
 * ends, the socket is closed with code 1008 and reason `session_ended`. Clients of socket.io are disconnected first,
 * and do not connect again by themselves. Rotation and new proofs close nothing.
 *
 * @param adapter `IoAdapter`, `WsAdapter` or one that extends them; it is changed and returned
 * @throws SessionAuthError `invalid_configuration` for invalid options, for a storage without the session link, and for
 *   gateways of a realm that no connection is opened for
 */
export function withSessions<Adapter extends WebSocketAdapter>(
  adapter: Adapter,
  app: INestApplicationContext,
  options: ConnectionOptions = {},
): Adapter {
  const handshake = new Handshake(OWNER, options, app.get(RealmRegistry), app.get(HttpAdapterHost).httpAdapter);
  checkGateways(app, handshake);
  const logger = new Logger('SessionAuth');
  const create = adapter.create.bind(adapter) as (port: number, options?: object) => object;
  const bind = adapter.bindMessageHandlers.bind(adapter);
  const followed = new WeakSet<object>();
  const unchecked = (): void =>
    logger.error('closed a WebSocket that bypassed withSessions: its server was not made by the adapter');
  const replaced: Pick<WebSocketAdapter, 'create' | 'bindMessageHandlers'> = {
    create(port: number, given: object = {}) {
      const server = create(port, { ...given, ...refusingWs(handshake, given), ...refusingSocketIo(handshake, given) });
      const engine = isSocketIo(server) ? engineOf(server) : undefined;
      // socket.io creates a server again for each namespace
      if (followed.has(engine ?? server)) return server;
      followed.add(engine ?? server);
      if (engine === undefined) followWs(server as WsServer, unchecked);
      else followSocketIo(engine, unchecked);
      return server;
    },
    bindMessageHandlers(client: object, handlers: Handler[], transform) {
      keepSocket(client);
      for (const handler of handlers) onlyWhileOpen(handler, client);
      bind(client, handlers, transform);
    },
  };
  return Object.assign(adapter, replaced);
}

/** Wraps the message handler of one client, so that it ignores messages after the session has ended. */
function onlyWhileOpen(handler: { callback: Handler['callback'] }, client: object): void {
  const callback = handler.callback as (...args: unknown[]) => Promise<unknown>;
  handler.callback = (...args: unknown[]) => {
    const connection = connectionOf(client);
    if (connection === undefined || connection.hasEnded) return Promise.resolve();
    connection.noteActivity();
    return callback(...args);
  };
}
