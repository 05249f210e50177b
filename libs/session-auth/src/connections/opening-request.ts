import type { HttpServer } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { AdapterRequest } from '../http/adapter.js';

/**
 * The request that opens a connection as the application's adapter would hand it to a handler: protocol, host and
 * address follow the adapter's own trust of proxies. Servers of sockets have the raw message only.
 */
export function openingRequest(message: IncomingMessage, adapter: HttpServer): AdapterRequest {
  const prototype = prototypeOf(adapter);
  const { headers, socket, method, url } = message;
  if (prototype === undefined) {
    const protocol = (socket as Partial<TLSSocket>).encrypted === true ? 'https' : 'http';
    return { headers, method, originalUrl: url, protocol, host: headers.host, ip: socket.remoteAddress };
  }
  // nothing is set on the message: what other libraries keep there stays theirs
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

/** What requests of an application of Express or Fastify inherit from; undefined for other adapters. */
function prototypeOf(adapter: HttpServer): object | undefined {
  const instance = adapter.getInstance() as Record<string | symbol, unknown>;
  if (adapter.getType() === 'express') return instance['request'] as object;
  if (adapter.getType() !== 'fastify') return undefined;
  const symbol = Object.getOwnPropertySymbols(instance).find(({ description }) => description === 'fastify.Request');
  return symbol && (instance[symbol] as { readonly prototype: object }).prototype;
}
