import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { HttpException, Logger } from '@nestjs/common';
import { HTTP_STATUS_BY_CODE, type SessionAuthErrorCode } from '../errors/error-codes.js';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { stepOverHttp, toHttpException } from './http-error.js';
import { HttpExchange } from './http-exchange.js';

const CODES = Object.keys(HTTP_STATUS_BY_CODE) as SessionAuthErrorCode[];

let headers: Record<string, unknown>;
let logged: jest.Spied<Logger['error']>;

function makeExchange(headersSent = false): HttpExchange {
  const response = {
    headersSent,
    getHeader: () => undefined,
    removeHeader: () => undefined,
    setHeader: (name: string, value: unknown) => void (headers[name] = value),
  };
  return new HttpExchange({ headers: {} }, response);
}

beforeEach(() => {
  headers = {};
  logged = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
});
afterEach(() => {
  jest.restoreAllMocks();
});

describe('toHttpException', () => {
  it.each(CODES)('answers %s with its status, code and message; failures of the server say nothing', (code) => {
    const error = new SessionAuthError(code, 'what went wrong', { cause: new Error('at a secret address') });
    const exception = toHttpException(error, makeExchange());
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
    toHttpException(new SessionAuthError('session_store_unavailable', 'down', options), makeExchange());
    expect(logged.mock.calls).toEqual([['session_store_unavailable: down', expect.stringContaining(stack)]]);
  });

  it('names the further factors of which one is asked for', () => {
    const error = new SessionAuthError('further_factor_required', 'one of these', { factors: ['totp', 'passkey'] });
    expect(toHttpException(error, makeExchange()).getResponse()).toEqual({
      statusCode: 401,
      code: 'further_factor_required',
      message: 'one of these',
      factors: ['totp', 'passkey'],
    });
  });

  it('sets Retry-After where the error names a time', () => {
    toHttpException(new SessionAuthError('too_many_attempts', 'wait', { retryAfterSeconds: 7 }), makeExchange());
    expect(headers).toEqual({ 'retry-after': '7' });
  });

  it('sets none where it names none, and none when it is too late', () => {
    toHttpException(new SessionAuthError('too_many_attempts', 'wait'), makeExchange());
    toHttpException(new SessionAuthError('too_many_attempts', 'wait', { retryAfterSeconds: 7 }), makeExchange(true));
    expect(headers).toEqual({});
  });
});

describe('stepOverHttp', () => {
  it('hands on what a step answers, at once or later', async () => {
    expect(await stepOverHttp(makeExchange(), () => 1)).toBe(1);
    expect(await stepOverHttp(makeExchange(), () => Promise.resolve(2))).toBe(2);
  });

  it('turns an error of the library into an HTTP exception, thrown or rejected', async () => {
    const error = new SessionAuthError('session_required', 'sign in first');
    const thrown = (): never => {
      throw error;
    };
    for (const step of [thrown, () => Promise.reject(error)]) {
      const exception: unknown = await stepOverHttp(makeExchange(), step).catch((reason: unknown) => reason);
      expect(exception).toBeInstanceOf(HttpException);
      expect((exception as HttpException).getStatus()).toBe(401);
    }
  });

  it('leaves every other error as it is', async () => {
    const error = new Error('a defect of the application');
    await expect(stepOverHttp(makeExchange(), () => Promise.reject(error))).rejects.toBe(error);
  });
});
