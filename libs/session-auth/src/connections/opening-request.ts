import type { HttpServer } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { AdapterRequest } from '../http/adapter.js';

/**
 * Returns the request that opens a connection as the application's adapter would pass it to a handler: protocol, host
 * and address follow the adapter's trust in proxies. WebSocket servers have only the raw message.
 */
export function openingRequest(message: IncomingMessage, adapter: HttpServer): AdapterRequest {
  const prototype = prototypeOf(adapter);
  const { headers, socket, method, url } = message;
  if (prototype === undefined) {
    const protocol = (socket as Partial<TLSSocket>).encrypted === true ? 'https' : 'http';
    return { headers, method, originalUrl: url, protocol, host: headers.host, ip: socket.remoteAddress };
  }
  // nothing is set on the message itself, where other libraries keep their own fields
  return Object.create(prototype, {
    raw: { value: message },
    headers: { value: headers },
    socket: { value: socket },
    connection: { value: socket },
    method: { value: method },
    url: { value: url },
    originalUrl: { value: url },
  }) as AdapterRequest;
}

/** The prototype of requests in an Express or Fastify application; undefined for other adapters. */
function prototypeOf(adapter: HttpServer): object | undefined {
  const instance = adapter.getInstance() as Record<string | symbol, unknown>;
  if (adapter.getType() === 'express') return instance['request'] as object;
  if (adapter.getType() !== 'fastify') return undefined;
  const symbol = Object.getOwnPropertySymbols(instance).find(({ description }) => description === 'fastify.Request');
  return symbol && (instance[symbol] as { readonly prototype: object }).prototype;
}
