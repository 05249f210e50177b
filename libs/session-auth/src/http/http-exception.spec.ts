import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { HttpException, Logger, type ArgumentsHost } from '@nestjs/common';
import { HTTP_STATUS_BY_CODE, type SessionAuthErrorCode } from '../errors/error-codes.js';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { endedWith } from '../session/session-required.js';
import { asHttpException } from './http-exception.js';

const CODES = Object.keys(HTTP_STATUS_BY_CODE) as SessionAuthErrorCode[];

let headers: Record<string, unknown>;
let logged: jest.Spied<Logger['error']>;

function makeHost(headersSent = false): ArgumentsHost {
  const response = {
    headersSent,
    getHeader: () => undefined,
    removeHeader: () => undefined,
    setHeader: (name: string, value: unknown) => void (headers[name] = value),
  };
  const http = { getRequest: () => ({ headers: {} }), getResponse: () => response };
  return { getType: () => 'http', switchToHttp: () => http } as unknown as ArgumentsHost;
}

/** The context of a filter, which does not know the handler. */
function makeChannelHost(type: string): ArgumentsHost {
  return { getType: () => type, getArgs: () => [], getHandler: () => null } as unknown as ArgumentsHost;
}

const toHttpException = (error: SessionAuthError, host = makeHost()): HttpException =>
  asHttpException(error, host) as HttpException;

beforeEach(() => {
  headers = {};
  logged = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
});
afterEach(() => {
  jest.restoreAllMocks();
});

describe('asHttpException', () => {
  it.each(CODES)('answers %s with its status, code and message; failures of the server say nothing', (code) => {
    const error = new SessionAuthError(code, 'what went wrong', { cause: new Error('at a secret address') });
    const exception = toHttpException(error);
    const statusCode = HTTP_STATUS_BY_CODE[code];
    expect(exception).toBeInstanceOf(HttpException);
    expect(exception.getStatus()).toBe(statusCode);
    const answer = exception.getResponse() as { message: string };
    expect(answer).toEqual({ statusCode, code, message: expect.any(String) });
    expect(exception.cause).toBe(error);
    expect(answer.message === 'what went wrong').toBe(statusCode < 500);
    expect(JSON.stringify(answer)).not.toContain('secret');
    expect(logged).toHaveBeenCalledTimes(statusCode < 500 ? 0 : 1);
  });

  it.each([
    ['the stack of the cause', { cause: new Error('ECONNREFUSED') }, 'Error: ECONNREFUSED'],
    ['a cause that is no Error', { cause: 'ECONNREFUSED' }, 'ECONNREFUSED'],
    ['its own stack where there is no cause', {}, 'SessionAuthError: down'],
  ])('logs %s', (_what, options, stack) => {
    toHttpException(new SessionAuthError('session_store_unavailable', 'down', options));
    expect(logged.mock.calls).toEqual([['session_store_unavailable: down', expect.stringContaining(stack)]]);
  });

  it('names the further factors of which one is asked for', () => {
    const error = new SessionAuthError('further_factor_required', 'one of these', { factors: ['totp', 'passkey'] });
    expect(toHttpException(error).getResponse()).toEqual({
      statusCode: 401,
      code: 'further_factor_required',
      message: 'one of these',
      factors: ['totp', 'passkey'],
    });
  });

  it('tells why the session has ended', () => {
    const error = endedWith('revoked');
    const told = { statusCode: 401, code: 'session_ended', message: 'the session has ended', endReason: 'revoked' };
    expect(toHttpException(error).getResponse()).toEqual(told);
    const extensions = { code: 'UNAUTHENTICATED', reason: 'session_ended', endReason: 'revoked' };
    expect(asHttpException(error, makeChannelHost('graphql'))).toMatchObject({ extensions });
  });

  it('sets Retry-After where the error names a time', () => {
    toHttpException(new SessionAuthError('too_many_attempts', 'wait', { retryAfterSeconds: 7 }));
    expect(headers).toEqual({ 'retry-after': '7' });
  });

  it('sets none where it names none, and none when it is too late', () => {
    toHttpException(new SessionAuthError('too_many_attempts', 'wait'));
    toHttpException(new SessionAuthError('too_many_attempts', 'wait', { retryAfterSeconds: 7 }), makeHost(true));
    expect(headers).toEqual({});
  });

  it('gives GraphQL its extensions, and sets no header', () => {
    const error = new SessionAuthError('too_many_attempts', 'wait', { retryAfterSeconds: 7 });
    const exception = asHttpException(error, makeChannelHost('graphql'));
    expect(exception).toBeInstanceOf(HttpException);
    expect(exception).toMatchObject({
      message: 'wait',
      extensions: { code: 'TOO_MANY_REQUESTS', reason: 'too_many_attempts', retryAfterSeconds: 7 },
    });
    expect((exception as HttpException).getResponse()).not.toHaveProperty('statusCode');
    expect(headers).toEqual({});
  });

  it.each(CODES)('tells clients of GraphQL of %s what it tells those of HTTP', (code) => {
    const error = new SessionAuthError(code, 'what went wrong', { factors: ['totp'] });
    const exception = asHttpException(error, makeChannelHost('graphql')) as HttpException & { extensions: object };
    const isOurs = HTTP_STATUS_BY_CODE[code] >= 500;
    expect(exception.message === 'what went wrong').toBe(!isOurs);
    expect(exception.extensions).toMatchObject({ code: expect.any(String), reason: code, factors: ['totp'] });
    expect(logged).toHaveBeenCalledTimes(isOurs ? 1 : 0);
  });

  it('leaves alone what is none of ours', () => {
    const other = new TypeError('a defect');
    for (const thrown of [other, undefined, 'text']) {
      expect(asHttpException(thrown, makeHost())).toBe(thrown);
      expect(asHttpException(thrown, makeChannelHost('graphql'))).toBe(thrown);
    }
  });
});
