import type { AbstractHttpAdapter } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { HttpAdapterName } from '../../src/config/bank-config.js';
import { makeHttpAdapter } from '../../src/http-adapter.js';
import { send, sendHttp2 } from './bank-client.js';
import type { Certificate } from './self-signed-certificate.js';

export const ADAPTERS: readonly HttpAdapterName[] = ['express', 'fastify'];

/** What a node of the tests runs on: an adapter, over HTTP/1 unless it says otherwise. Express has no HTTP/2. */
export type ServerName = HttpAdapterName | 'fastify over HTTP/2';
export const SERVERS: readonly ServerName[] = [...ADAPTERS, 'fastify over HTTP/2'];

export function makeServer(name: ServerName, trustProxy = false, certificate?: Certificate): AbstractHttpAdapter {
  if (name === 'fastify over HTTP/2') return new FastifyAdapter({ trustProxy, http2: true });
  if (name === 'fastify' && certificate !== undefined) return new FastifyAdapter({ trustProxy, https: certificate });
  return makeHttpAdapter(name, trustProxy);
}

/** How clients of a server send their requests. */
export function senderFor(name: ServerName): typeof send {
  return name === 'fastify over HTTP/2' ? sendHttp2 : send;
}
