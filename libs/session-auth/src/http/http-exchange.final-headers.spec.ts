import { describe, expect, it } from '@jest/globals';
import { IncomingMessage, ServerResponse, type OutgoingHttpHeaders } from 'node:http';
import { Socket } from 'node:net';
import { HttpExchange } from './http-exchange.js';

const newResponse = (): ServerResponse => new ServerResponse(new IncomingMessage(new Socket()));

/** Writes the head of a response after some calls, and returns its headers. */
function headOf(
  tell: (final: HttpExchange, response: ServerResponse) => void,
  ...args: readonly unknown[]
): { readonly headers: OutgoingHttpHeaders; readonly status: number; readonly message: string } {
  const response = newResponse();
  const writeHead = response.writeHead.bind(response) as (...args: unknown[]) => ServerResponse;
  let handedOver: unknown;
  response.writeHead = (...last: unknown[]): ServerResponse => {
    handedOver = last.at(-1);
    return writeHead(...last);
  };
  tell(new HttpExchange({ headers: {} }, response), response);
  response.writeHead(...((args.length === 0 ? [200] : args) as [number]));
  // Node leaves the headers of the call separate when no others are set
  const headers = { ...response.getHeaders(), ...(typeof handedOver === 'object' ? handedOver : {}) };
  const named = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value as string] as const);
  return { headers: Object.fromEntries(named), status: response.statusCode, message: response.statusMessage };
}

describe('the headers of a response at the last moment', () => {
  it('are left alone where nothing was asked for', () => {
    const response = newResponse();
    expect(new HttpExchange({ headers: {} }, response)).toBeDefined();
    response.setHeader('cache-control', 'public');
    response.writeHead(200);
    expect(response.getHeaders()).toEqual({ 'cache-control': 'public' });
  });

  it('are changed for what was asked for, and nothing else', () => {
    const { headers } = headOf((final, response) => {
      response.setHeader('cache-control', 'public');
      response.setHeader('cdn-cache-control', 'max-age=60');
      final.vary('Cookie');
    });
    expect(headers).toEqual({ vary: 'Cookie', 'cache-control': 'public', 'cdn-cache-control': 'max-age=60' });
  });

  it('forbid every cache to keep the response, whatever was set, before or after', () => {
    const { headers } = headOf(
      (final, response) => {
        final.forbidStore();
        response.setHeader('Cache-Control', 'public, max-age=3600');
        response.setHeader('Surrogate-Control', 'max-age=60');
      },
      200,
      { 'CDN-Cache-Control': 'max-age=60', 'cache-control': 'immutable' },
    );
    expect(headers).toEqual({ 'cache-control': 'no-store' });
  });

  it('leave a head alone that is out already', () => {
    const response = newResponse();
    const final = new HttpExchange({ headers: {} }, response);
    final.forbidStore();
    response.writeHead(200);
    // a call after the head is too late, and Node reports it
    final.vary('Cookie');
    expect(() => response.writeHead(200)).toThrow(expect.objectContaining({ code: 'ERR_HTTP_HEADERS_SENT' }));
    expect(response.getHeaders()).toEqual({ 'cache-control': 'no-store' });
    expect(() => new HttpExchange({ headers: {} }, response).setCookie('a', ['a=1'])).not.toThrow();
    expect(() => response.writeHead(200)).toThrow(expect.objectContaining({ code: 'ERR_HTTP_HEADERS_SENT' }));
  });

  it('are applied once, though several things were asked for, and work together with who does the same', () => {
    const order: string[] = [];
    const response = newResponse();
    const wrap = (name: string): void => {
      const inner = response.writeHead.bind(response) as (...args: unknown[]) => ServerResponse;
      response.writeHead = (...args: unknown[]): ServerResponse => {
        order.push(name);
        return inner(...args);
      };
    };
    wrap('first');
    const final = new HttpExchange({ headers: {} }, response);
    final.vary('Cookie');
    const hooked = Object.getOwnPropertyDescriptor(response, 'writeHead');
    final.setCookie('a', ['a=1']);
    final.forbidStore();
    expect(Object.getOwnPropertyDescriptor(response, 'writeHead')).toEqual(hooked);
    wrap('second');
    expect(response.writeHead(204)).toBe(response);
    expect(order).toEqual(['second', 'first']);
    expect(response.statusCode).toBe(204);
    expect(response.getHeaders()).toEqual({ 'set-cookie': ['a=1'], 'cache-control': 'no-store', vary: 'Cookie' });
  });

  it('keep status and message, with headers or without', () => {
    const tell = (final: HttpExchange): void => final.vary('Cookie');
    expect(headOf(tell, 404)).toMatchObject({ status: 404, message: 'Not Found' });
    expect(headOf(tell, 404, 'Gone astray')).toMatchObject({ status: 404, message: 'Gone astray' });
    const both = headOf(tell, 404, 'Gone astray', { etag: 'x', vary: 'Accept' });
    expect(both).toMatchObject({ status: 404, message: 'Gone astray', headers: { etag: 'x', vary: 'Accept, Cookie' } });
    expect(headOf(tell, 200, null)).toMatchObject({ status: 200, headers: { vary: 'Cookie' } });
  });

  it.each<[string, unknown]>([
    ['an object', { 'Set-Cookie': ['b=2', 'c=3'], 'Content-Length': 5, Vary: 'Accept' }],
    ['names and values in turn', ['Set-Cookie', 'b=2', 'set-cookie', 'c=3', 'Content-Length', 5, 'Vary', 'Accept']],
    [
      'pairs',
      [
        ['Set-Cookie', 'b=2'],
        ['Set-Cookie', 'c=3'],
        ['Content-Length', 5],
        ['Vary', 'Accept'],
      ],
    ],
  ])('take what writeHead is handed as %s', (_form, handed) => {
    const { headers } = headOf(
      (final, response) => {
        response.setHeader('vary', 'Origin');
        final.setCookie('a', ['a=1; Path=/']);
        final.vary('Cookie');
      },
      200,
      handed,
    );
    expect({ ...headers, 'content-length': Number(headers['content-length']) }).toEqual({
      'set-cookie': ['b=2', 'c=3', 'a=1; Path=/'],
      'content-length': 5,
      'cache-control': 'no-store',
      vary: 'Origin, Accept, Cookie',
    });
  });

  /** Returns the arguments that reach the previous writeHead. */
  function handedOn(
    tell: (final: HttpExchange, response: ServerResponse) => void,
    ...args: readonly unknown[]
  ): readonly unknown[] {
    const response = newResponse();
    let handed: readonly unknown[] = [];
    response.writeHead = (...each: unknown[]): ServerResponse => {
      handed = each;
      return response;
    };
    tell(new HttpExchange({ headers: {} }, response), response);
    response.writeHead(...(args as [number]));
    return [...handed, response.getHeaders()];
  }

  it('are handed on in one object, of which Vary is a part', () => {
    const tell = (final: HttpExchange): void => final.vary('Cookie', 'Origin');
    const headers = { etag: 'x', 'Content-Length': 5 };
    const added = { ...headers, vary: 'Cookie, Origin' };
    expect(handedOn(tell, 200, headers)).toEqual([200, added, {}]);
    expect(handedOn(tell, 404, 'Gone astray', headers)).toEqual([404, 'Gone astray', added, {}]);
    expect(headers).toEqual({ etag: 'x', 'Content-Length': 5 });
  });

  it('are handed on with what was set before, whatever the spelling', () => {
    const vary = (final: HttpExchange): void => final.vary('Cookie');
    for (const name of ['vary', 'Vary', 'VARY']) {
      const handed = handedOn(vary, 200, { etag: 'x', [name]: 'Accept' });
      expect(handed).toEqual([200, { etag: 'x', vary: 'Accept, Cookie' }, {}]);
    }
    const twice = handedOn(vary, 200, { Vary: 'Accept', vary: 'Origin' });
    expect(twice).toEqual([200, { vary: 'Accept, Origin, Cookie' }, {}]);
    const set = (final: HttpExchange, response: ServerResponse): void => {
      response.setHeader('x-frame', 'none');
      final.vary('Cookie');
    };
    const one = { etag: 'x', vary: 'Cookie' };
    expect(handedOn(set, 200, { etag: 'x' })).toEqual([200, one, { 'x-frame': 'none' }]);
    expect(handedOn(vary, 200, ['etag', 'x'])).toEqual([200, one, {}]);
    const all = (final: HttpExchange): void => (final.vary('Cookie'), final.forbidStore());
    expect(handedOn(all, 200, { etag: 'x' })).toEqual([200, { ...one, 'cache-control': 'no-store' }, {}]);
  });

  it('take a number that is repeated', () => {
    const { headers } = headOf((final) => final.vary('Cookie'), 200, ['X-Step', 1, 'x-step', 2]);
    expect(headers['x-step']).toEqual(['1', '2']);
  });

  it('take a list that is repeated', () => {
    const { headers } = headOf((final) => final.vary('Cookie'), 200, ['X-Step', ['1', '2'], 'x-step', ['3', '4']]);
    expect(headers['x-step']).toEqual(['1', '2', '3', '4']);
  });

  it('take an empty list of headers', () => {
    expect(headOf((final) => final.vary('Cookie'), 200, []).headers).toEqual({ vary: 'Cookie' });
  });

  it('name each header of Vary once, in the spelling that came first, and a star alone', () => {
    const vary = (...set: readonly (string | string[])[]): unknown =>
      headOf((final, response) => {
        for (const each of set) response.setHeader('vary', each);
        final.vary('Cookie', 'Origin');
        final.vary('Cookie');
      }).headers['vary'];
    expect(vary()).toBe('Cookie, Origin');
    expect(vary('accept ,cookie,, ORIGIN')).toBe('accept, cookie, ORIGIN');
    expect(vary(['Accept', 'Cookie, Accept'])).toBe('Accept, Cookie, Origin');
    expect(vary('Accept, *')).toBe('*');
    expect(vary('')).toBe('Cookie, Origin');
  });

  it.each([
    [['Cookie'], 'Cookie'],
    [['Cookie', 'Cookie'], 'Cookie'],
    [['Cookie', 'Cookie,Origin'], 'Cookie, Origin'],
    [['Cookie,Origin', 'Cookie'], 'Cookie, Origin'],
    [['Cookie', 'Cookie-Like'], 'Cookie, Cookie-Like'],
    [['Cookie-Like', 'Cookie'], 'Cookie-Like, Cookie'],
    [['Cookie', 'Origin'], 'Cookie, Origin'],
    [['Cookie,Origin', 'Origin,Accept', 'Cookie'], 'Cookie, Origin, Accept'],
  ])('add up what is said one after the other: %j', (lists, expected) => {
    expect(headOf((final) => lists.forEach((list) => final.vary(...list.split(',')))).headers['vary']).toBe(expected);
  });

  it('set a cookie once, the last word, in place of any of that very name', () => {
    const { headers } = headOf((final, response) => {
      response.setHeader('set-cookie', ['a=0; Path=/', 'ab=0', 'x=a=0']);
      final.setCookie('a', ['a=1']);
      final.setCookie('b', ['b=1']);
      final.setCookie('a', ['a=2']);
      response.appendHeader('set-cookie', 'b=9; HttpOnly');
    });
    expect(headers['set-cookie']).toEqual(['ab=0', 'x=a=0', 'a=2', 'b=1']);
  });

  it.each<[string, readonly unknown[]]>([
    ['as Express does', []],
    ['as Fastify does', [200, { 'x-step': '1', 'set-cookie': ['a=0', 'ab=0'] }]],
  ])('leave a cookie out that is late when the head is written, and neither before nor after: %s', (_how, args) => {
    let isLate = false;
    const cookies = (whileHandling: () => void): unknown => {
      isLate = false;
      const { headers } = headOf(
        (final, response) => {
          if (args.length === 0) response.setHeader('set-cookie', ['a=0', 'ab=0']);
          final.setCookie('a', ['a=1'], () => isLate);
          final.setCookie('b', ['b=1']);
          whileHandling();
        },
        ...args,
      );
      expect(headers['cache-control']).toBe('no-store');
      return headers['set-cookie'];
    };
    expect(cookies(() => undefined)).toEqual(['ab=0', 'a=1', 'b=1']);
    // no other cookie of that name either: the client keeps what it has
    expect(cookies(() => (isLate = true))).toEqual(['ab=0', 'b=1']);
    expect(cookies(() => ((isLate = true), (isLate = false)))).toEqual(['ab=0', 'a=1', 'b=1']);
  });

  it.each<[string, readonly unknown[]]>([
    ['as Express does', []],
    ['as Fastify does', [200, { 'x-step': '1' }]],
  ])('set no cookie at all where the only one is late, nor one of before: %s', (_how, args) => {
    const { headers } = headOf(
      (final, response) => {
        response.setHeader('set-cookie', 'a=0');
        final.setCookie('a', ['a=1'], () => true);
      },
      ...args,
    );
    expect(headers).not.toHaveProperty('set-cookie');
    expect(headers['cache-control']).toBe('no-store');
  });

  it('go by the last word on a cookie also for how long it may be set', () => {
    const { headers } = headOf((final) => {
      final.setCookie('a', ['a=1'], () => true);
      final.setCookie('a', ['a=2']);
    });
    expect(headers['set-cookie']).toEqual(['a=2']);
  });

  it('take a lone cookie that was set as a text or a number', () => {
    const cookies = (set: string | number): unknown =>
      headOf((final, response) => {
        response.setHeader('set-cookie', set);
        final.setCookie('a', ['a=1']);
      }).headers['set-cookie'];
    expect(cookies('b=2')).toEqual(['b=2', 'a=1']);
    expect(cookies(7)).toEqual(['7', 'a=1']);
  });
});
