import { describe, expect, it } from '@jest/globals';
import type { ArgumentsHost } from '@nestjs/common';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { channelOf } from './channel.js';
import type { GraphqlSettings } from './graphql.options.js';

const INFO = { schema: {}, fragments: {}, operation: { operation: 'query' } };
const RESPONSE = { getHeader: () => undefined };

const messageOf = (headers: IncomingMessage['headers'] = {}): IncomingMessage =>
  Object.assign(new IncomingMessage(new Socket()), { headers });
/** As Fastify hands it to handlers. */
const wrapped = (raw = messageOf()): object => ({ raw, headers: raw.headers });
const hostOf = (type: string, ...args: unknown[]): ArgumentsHost =>
  ({ getType: () => type, getArgs: () => args, switchToWs: () => ({ getClient: () => args[0] }) }) as never;
const operationOf = (context: unknown, settings: GraphqlSettings = {}): ReturnType<typeof channelOf> =>
  channelOf(hostOf('graphql', undefined, {}, context, INFO), settings);
const notBound = (message = ''): unknown =>
  expect.objectContaining({ code: 'request_not_bound', message: expect.stringContaining(message) });

describe('the channel of an operation', () => {
  it.each([
    ['req', (request: object) => ({ req: request })],
    ['request', (request: object) => ({ request })],
    ['reply.request', (request: object) => ({ reply: { request } })],
    ['reply.request, whatever req is', (request: object) => ({ reply: { request }, req: messageOf() })],
    ['req beside a reply of no request', (request: object) => ({ reply: {}, req: request })],
    ['request beside a req of none', (request: object) => ({ req: { headers: {} }, request })],
  ])('finds the request in %s', (_, contextOf) => {
    for (const request of [messageOf(), wrapped()]) expect(operationOf(contextOf(request)).getRequest()).toBe(request);
  });

  it.each(['res', 'response', 'reply'])('finds the response in %s', (name) => {
    expect(operationOf({ req: messageOf(), [name]: RESPONSE }).getResponse()).toBe(RESPONSE);
  });

  it('finds the response of Express by the request', () => {
    const req = Object.assign(messageOf(), { res: RESPONSE });
    expect(operationOf({ req }).getResponse()).toBe(RESPONSE);
  });

  it('has a response that nothing can be written to where there is none, each time another one', () => {
    const channel = operationOf({ req: wrapped(), res: {}, reply: 'text' });
    const response = channel.getResponse<{ getHeader: (name: string) => unknown }>();
    expect(response).toMatchObject({ headersSent: true, isAbsent: true });
    expect(response.getHeader('vary')).toBeUndefined();
    expect(channel.getResponse()).not.toBe(response);
  });

  it('is found by resolvers of references and types too, and by no argument that looks like one', () => {
    const [request, context] = [messageOf(), { req: wrapped() }];
    const found = (...args: unknown[]): unknown => channelOf(hostOf('graphql', ...args), {}).getRequest();
    expect(found({ id: 1 }, context, INFO)).toBe(context.req);
    expect(found({ id: 1 }, context, INFO, { name: 'Node' })).toBe(context.req);
    expect(found(undefined, { ...INFO, req: request }, context, INFO)).toBe(context.req);
    expect(found(undefined, INFO, context, INFO)).toBe(context.req);
  });

  it('goes by the function of the application, where there is one', () => {
    const [incoming, other] = [messageOf(), messageOf()];
    const settings: GraphqlSettings = { request: (context) => context['incoming'] as object };
    expect(operationOf({ incoming, req: other }, settings).getRequest()).toBe(incoming);
    expect(operationOf({ req: other }, settings).getRequest()).toBe(other);
  });

  it.each([
    ['nothing', undefined],
    ['a text', 'context'],
    ['no request', {}],
    ['what only says that it is one', { req: { headers: { cookie: 'session=x' } } }],
    ['headers by the word of a client', { reply: { request: { headers: { cookie: 'session=x' } } } }],
  ])('is refused with a code where the context is or has %s', (_, context) => {
    expect(() => operationOf(context)).toThrow(notBound('return { req, res } (Express) or { req, reply } (Fastify)'));
  });

  it.each([
    ['req.extra.request', (request: object) => ({ req: { extra: { request } } })],
    ['extra.request', (request: object) => ({ extra: { request } })],
    ['req', (request: object) => ({ req: request })],
  ])('has the request that opened a WebSocket in %s, and no response for one that nobody has bound', (_, contextOf) => {
    const opening = messageOf({ upgrade: 'WebSocket' });
    const channel = operationOf(contextOf(opening));
    expect(channel.getRequest()).toBe(opening);
    expect(() => channel.getResponse()).toThrow(notBound('WebSocket'));
  });
});

describe('the channel of a message', () => {
  it('has the request that opened the connection of socket.io, and no response', () => {
    const request = messageOf();
    const channel = channelOf(hostOf('ws', { request }), {});
    expect(channel.getRequest()).toBe(request);
    expect(() => channel.getResponse()).toThrow(notBound('app.useWebSocketAdapter(withSessions('));
  });

  it('of ws has neither', () => {
    const channel = channelOf(hostOf('ws', {}), {});
    expect(() => channel.getRequest()).toThrow(notBound('withSessions('));
    expect(() => channel.getResponse()).toThrow(notBound('withSessions('));
  });

  it('is refused for microservices and for what is not known', () => {
    expect(() => channelOf(hostOf('rpc'), {})).toThrow(expect.objectContaining({ code: 'session_required' }));
    expect(() => channelOf(hostOf('novelty'), {})).toThrow(notBound("type 'novelty'"));
  });
});
