import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import {
  createServer,
  IncomingMessage,
  ServerResponse,
  type IncomingHttpHeaders,
  type RequestListener,
  type Server,
} from 'node:http';
import { Socket, type AddressInfo } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { ClientInfo } from '../users/client.js';
import type { AdapterRequest, AdapterResponse } from './adapter.js';
import { HttpExchange } from './http-exchange.js';

type Handler = (exchange: HttpExchange, response: AdapterResponse) => void;
interface Adapter {
  readonly name: string;
  /** Serves one handler on a free port. Returns its address. */
  readonly serve: (handler: Handler) => Promise<string>;
}

const open: (Server | FastifyInstance)[] = [];

const ADAPTERS: readonly Adapter[] = [
  {
    name: 'node, as Express hands it on',
    serve: async (handler) => {
      const listener: RequestListener = (request, response) => {
        handler(new HttpExchange(request, response), response);
        response.end();
      };
      const server = createServer(listener).listen(0, '127.0.0.1');
      open.push(server);
      await once(server, 'listening');
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    },
  },
  {
    name: 'Fastify',
    serve: async (handler) => {
      const server = fastify();
      open.push(server);
      server.all('/', (request: FastifyRequest, reply: FastifyReply) => {
        handler(new HttpExchange(request, reply), reply);
        return reply.send('');
      });
      return server.listen({ port: 0, host: '127.0.0.1' });
    },
  },
];

afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

describe.each(ADAPTERS)('HttpExchange on $name', ({ serve }) => {
  async function answerOf(handler: Handler, init: RequestInit = {}): Promise<Response> {
    return fetch(await serve(handler), { ...init, signal: AbortSignal.timeout(10_000) });
  }

  it('reads verb, cookies and client', async () => {
    const seen: unknown[] = [];
    await answerOf(
      ({ method, headers, client, headersSent }) => {
        seen.push(method, headers.cookie, client.userAgent, headersSent);
      },
      { method: 'DELETE', headers: { cookie: 'a=1; b=2', 'user-agent': 'test/1.0', 'x-http-method-override': 'GET' } },
    );
    expect(seen).toEqual(['DELETE', 'a=1; b=2', 'test/1.0', false]);
  });

  it('cuts a long User-Agent', async () => {
    let userAgent: string | undefined;
    await answerOf(({ client }) => void (userAgent = client.userAgent), {
      headers: { 'user-agent': 'x'.repeat(2000) },
    });
    expect(userAgent).toBe('x'.repeat(512));
  });

  it('keeps nothing in memory of what it cut off', async () => {
    const clients: ClientInfo[] = [];
    const url = await serve(({ client }) => void clients.push(client));
    const headers = { 'user-agent': 'x'.repeat(100_000) };
    const before = heapInUse();
    for (let i = 0; i < 200; i += 1) await (await fetch(url, { headers })).text();
    expect(heapInUse() - before).toBeLessThan(5_000_000);
    expect(clients).toHaveLength(200);
  });

  it('writes one Set-Cookie of a name: the last', async () => {
    const response = await answerOf((exchange) => {
      exchange.setCookie('session', ['session=1; Path=/']);
      exchange.setCookie('session', ['session=2; Path=/']);
      exchange.setCookie('session', ['session=3; Path=/']);
    });
    expect(response.headers.getSetCookie()).toEqual(['session=3; Path=/']);
    expect(response.headers.get('cache-control')).toBe('no-store');
  });

  it('leaves other cookies alone, from before and after, one or several', async () => {
    const response = await answerOf((exchange, raw) => {
      add(raw, ['theme=dark', 'session-extra=1', 'xsession=1']);
      exchange.setCookie('session', ['session=1']);
      add(raw, ['language=en']);
      exchange.setCookie('session', ['session=2']);
      exchange.setCookie('csrf', ['csrf=1']);
    });
    expect(response.headers.getSetCookie().sort()).toEqual(
      ['csrf=1', 'language=en', 'session-extra=1', 'session=2', 'theme=dark', 'xsession=1'].sort(),
    );
  });

  it('keeps a single cookie that was set as text', async () => {
    const response = await answerOf((exchange, raw) => {
      if (raw.setHeader === undefined) raw.header?.('set-cookie', 'theme=dark');
      else raw.setHeader('set-cookie', 'theme=dark');
      exchange.setCookie('session', ['session=1']);
    });
    expect(response.headers.getSetCookie()).toEqual(['theme=dark', 'session=1']);
  });

  it('names what it varies by, and forbids caches to keep it, whatever the application says', async () => {
    const response = await answerOf((exchange, raw) => {
      exchange.vary('Cookie', 'Origin');
      exchange.forbidStore();
      if (raw.setHeader === undefined) raw.header?.('cache-control', 'public');
      else raw.setHeader('cache-control', 'public');
    });
    expect(response.headers.get('vary')).toBe('Cookie, Origin');
    expect(response.headers.get('cache-control')).toBe('no-store');
  });

  it('replaces a header that is there', async () => {
    const response = await answerOf((exchange) => {
      exchange.setHeader('retry-after', '1');
      exchange.setHeader('retry-after', '2');
    });
    expect(response.headers.get('retry-after')).toBe('2');
  });

  it('knows when it is too late', async () => {
    let late: boolean | undefined;
    await answerOf((exchange, raw) => {
      const response = raw as { end?(): void; send?(body: string): void };
      if (response.send === undefined) response.end?.();
      else response.send('');
      late = exchange.headersSent;
    });
    expect(late).toBe(true);
  });
});

describe('HttpExchange on a reply of Fastify that the application writes itself', () => {
  async function lateness(reply: (reply: FastifyReply, isLate: () => void) => unknown): Promise<readonly boolean[]> {
    const seen: boolean[] = [];
    const server = fastify();
    open.push(server);
    server.get('/', (request, response) => {
      const exchange = new HttpExchange(request, response);
      const isLate = (): void => void seen.push(exchange.headersSent);
      isLate();
      return reply(response, isLate);
    });
    const address = await server.listen({ port: 0, host: '127.0.0.1' });
    await (await fetch(address, { signal: AbortSignal.timeout(10_000) })).text();
    return seen;
  }

  it('is late from the first byte on', async () => {
    const seen = await lateness(async (reply, isLate) => {
      reply.raw.write('begun');
      isLate();
      reply.raw.end();
      await once(reply.raw, 'finish');
      isLate();
      return reply;
    });
    expect(seen).toEqual([false, true, true]);
  });

  it('is late from the moment on in which it was hijacked: whoever writes it knows of no cookie', async () => {
    const seen = await lateness((reply, isLate) => {
      reply.hijack();
      isLate();
      reply.raw.end('');
      isLate();
    });
    expect(seen).toEqual([false, true, true]);
  });
});

describe('HttpExchange', () => {
  const request = (headers: IncomingHttpHeaders = {}): AdapterRequest => ({ headers });
  const response: AdapterResponse = { getHeader: () => undefined, removeHeader: () => undefined };

  it('makes do with what a bare request has', () => {
    const exchange = new HttpExchange(request(), response);
    expect(exchange.method).toBe('GET');
    expect(exchange.headers.cookie).toBeUndefined();
    expect(exchange.client).toEqual({ ip: undefined, userAgent: undefined });
    expect(exchange.headersSent).toBe(false);
    expect(() => exchange.setHeader('retry-after', '1')).not.toThrow();
  });

  it('hands on what a request has', () => {
    const headers = { 'x-csrf-token': 't', cookie: 'a=1' };
    const rest = { protocol: 'https', body: { to: 'bob' }, ip: '192.0.2.1' };
    const exchange = new HttpExchange({ headers, method: 'PUT', originalMethod: 'POST', ...rest }, response);
    expect(exchange.overriddenMethod).toBe('POST');
    expect(exchange.protocol).toBe('https');
    expect(exchange.body).toBe(rest.body);
    const { headers: signals, ip, method } = exchange;
    expect({ signals, ip, method }).toEqual({ signals: headers, ip: '192.0.2.1', method: 'PUT' });
  });

  it('takes the address from the adapter, which knows whom to trust', () => {
    const headers = { 'x-forwarded-for': '203.0.113.9', forwarded: 'for=203.0.113.9' };
    expect(new HttpExchange({ headers, ip: '192.0.2.1' }, response).client.ip).toBe('192.0.2.1');
  });

  it('is collected with its request when it was young, and not only by a full garbage collection', () => {
    const message = new IncomingMessage(new Socket());
    const before = heapInUse();
    for (let i = 0; i < 500; i += 1) {
      const raw = new ServerResponse(message);
      new HttpExchange({ headers: {}, body: new Array(2000).fill(i) }, raw).vary('Cookie');
      raw.writeHead(200);
    }
    // their bodies alone take 8 MB
    expect(heapInUse('minor') - before).toBeLessThan(4e6);
  });
});

/** Returns the bytes in use after a garbage collection, optionally of young objects only. */
function heapInUse(which?: 'minor'): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options?: object) => void;
  if (which === undefined) collect();
  else collect({ type: which });
  return process.memoryUsage().heapUsed;
}

/** Adds cookies as an application would. */
function add(response: AdapterResponse, cookies: readonly string[]): void {
  if (response.setHeader === undefined) {
    for (const cookie of cookies) response.header!('set-cookie', cookie);
    return;
  }
  const present = response.getHeader('set-cookie');
  response.setHeader('set-cookie', [...(Array.isArray(present) ? present : []), ...cookies]);
}
