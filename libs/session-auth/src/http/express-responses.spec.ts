import { describe, expect, it } from '@jest/globals';
import { HttpAdapterHost, type AbstractHttpAdapter } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { ServerResponse } from 'node:http';
import { ExpressResponses } from './express-responses.js';

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
