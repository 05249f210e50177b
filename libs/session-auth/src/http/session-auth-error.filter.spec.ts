import { describe, expect, it, jest } from '@jest/globals';
import type { ArgumentsHost } from '@nestjs/common';
import type { HttpAdapterHost } from '@nestjs/core';
import { SessionAuthError } from '../errors/session-auth.error.js';
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

  it('leaves an error alone that was not thrown over HTTP', () => {
    const filter = new SessionAuthErrorFilter({} as HttpAdapterHost);
    expect(() => filter.catch(ERROR, makeHost('ws').host)).toThrow(ERROR);
  });
});
