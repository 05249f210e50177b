import { describe, expect, it } from '@jest/globals';
import { HttpAdapterHost, type AbstractHttpAdapter } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { ExpressResponses } from './express-responses.js';
import { RequestSessions } from './request-sessions.js';

function start(adapter: AbstractHttpAdapter | undefined): void {
  const host = new HttpAdapterHost();
  if (adapter !== undefined) host.httpAdapter = adapter;
  new ExpressResponses(host).onModuleInit();
}

describe('the responses of an Express application', () => {
  const writeHeadOf = (prototype: object): unknown => Reflect.get(prototype, 'writeHead');
  const responseOf = (adapter: ExpressAdapter): object => adapter.getInstance<{ response: object }>().response;
  const nodes = writeHeadOf(ServerResponse.prototype);

  it('ask for their final headers from then on, and those of no other application do', () => {
    const [one, other] = [new ExpressAdapter(), new ExpressAdapter()];
    start(one);
    const changed = writeHeadOf(responseOf(one));
    expect(changed).not.toBe(nodes);
    expect(writeHeadOf(responseOf(other))).toBe(nodes);
    // two modules of one application
    start(one);
    expect(writeHeadOf(responseOf(one))).toBe(changed);
  });

  it('say what a guard of ours has asked for, and nothing where none has', () => {
    const adapter = new ExpressAdapter();
    start(adapter);
    // nobody asks for a session here
    const sessions = new RequestSessions(undefined as never);
    const answer = (isBound: boolean): unknown => {
      const request = new IncomingMessage(new Socket());
      const response = Object.setPrototypeOf(new ServerResponse(request), responseOf(adapter)) as ServerResponse;
      if (isBound) sessions.bind(request, response).exchange.vary('Cookie');
      expect(Object.hasOwn(response, 'writeHead')).toBe(false);
      return response.writeHead(200).getHeader('vary');
    };
    expect(answer(true)).toBe('Cookie');
    expect(answer(false)).toBeUndefined();
  });

  it('are no matter of Fastify, nor of what serves no HTTP', () => {
    start(new FastifyAdapter());
    start(undefined);
    new ExpressResponses(undefined).onModuleInit();
    expect(writeHeadOf(ServerResponse.prototype)).toBe(nodes);
  });

  it('are left alone where the instance is another kind of Express', () => {
    const adapter = { getType: () => 'express', getInstance: () => ({}) } as unknown as AbstractHttpAdapter;
    expect(() => start(adapter)).not.toThrow();
  });
});
