import { describe, expect, it, jest } from '@jest/globals';
import type { ArgumentsHost } from '@nestjs/common';
import type { HttpAdapterHost } from '@nestjs/core';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { lastValueFrom, type Observable } from 'rxjs';
import { loadTransportExceptions } from '../channels/transport-exceptions.js';
import { SessionAuthErrorFilter } from './session-auth-error.filter.js';

const ERROR = new SessionAuthError('too_many_attempts', 'wait', { retryAfterSeconds: 7 });

function makeHost(type: string): { host: ArgumentsHost; response: object } {
  const response = {
    headersSent: false,
    getHeader: () => undefined,
    removeHeader: () => undefined,
    setHeader: jest.fn(),
  };
  const http = { getRequest: () => ({ headers: {} }), getResponse: () => response };
  const host = { getType: () => type, switchToHttp: () => http, getArgByIndex: () => response };
  return { host: host as unknown as ArgumentsHost, response };
}

describe('SessionAuthErrorFilter', () => {
  it('answers an error by the adapter, with Retry-After', () => {
    const reply = jest.fn();
    const adapter = { reply, isHeadersSent: () => false };
    const { host, response } = makeHost('http');
    new SessionAuthErrorFilter({ httpAdapter: adapter } as unknown as HttpAdapterHost).catch(ERROR, host);
    const body = { statusCode: 429, code: 'too_many_attempts', message: 'wait' };
    expect(reply.mock.calls).toEqual([[response, body, 429]]);
    expect((response as { setHeader: jest.Mock }).setHeader).toHaveBeenCalledWith('retry-after', '7');
  });

  describe('outside of HTTP', () => {
    const filter = new SessionAuthErrorFilter({} as HttpAdapterHost);
    const hostOf = (type: string, more: object = {}): ArgumentsHost =>
      ({ getType: () => type, getArgs: () => [], getHandler: () => null, ...more }) as unknown as ArgumentsHost;
    const told = { code: 'too_many_attempts', message: 'wait', retryAfterSeconds: 7 };

    it('returns what GraphQL takes for thrown', () => {
      expect(filter.catch(ERROR, hostOf('graphql'))).toMatchObject({
        message: 'wait',
        extensions: { reason: 'too_many_attempts' },
      });
    });

    it('returns what microservices send to their client', async () => {
      await loadTransportExceptions();
      const answer = filter.catch(ERROR, hostOf('rpc')) as Observable<never>;
      await expect(lastValueFrom(answer)).rejects.toStrictEqual(told);
    });

    it('sends it to the client of a socket', async () => {
      await loadTransportExceptions();
      const client = { emit: jest.fn() };
      const ws = { getClient: () => client, getPattern: () => 'pattern', getData: () => 'data' };
      filter.catch(ERROR, hostOf('ws', { switchToWs: () => ws }));
      expect(client.emit.mock.calls).toEqual([['exception', told]]);
    });
  });
});
