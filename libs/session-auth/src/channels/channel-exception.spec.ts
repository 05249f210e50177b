import { afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger, type ArgumentsHost } from '@nestjs/common';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { asHttpException } from '../http/http-exception.js';
import { endedWith } from '../session/session-required.js';
import { loadTransportExceptions } from './transport-exceptions.js';

const [{ WsException }, { RpcException }] = await Promise.all([
  import('@nestjs/websockets'),
  import('@nestjs/microservices'),
]);
const EXCEPTIONS = { ws: WsException, rpc: RpcException };

const hostOf = (type: string): ArgumentsHost =>
  ({ getType: () => type, getArgs: () => [], getArgByIndex: () => undefined, getHandler: () => null }) as never;
const toldOf = (error: SessionAuthError, type: keyof typeof EXCEPTIONS): unknown =>
  (asHttpException(error, hostOf(type)) as InstanceType<(typeof EXCEPTIONS)['ws']>).getError();

beforeAll(loadTransportExceptions);
beforeEach(() => void jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined));
afterEach(() => void jest.restoreAllMocks());

describe.each(['ws', 'rpc'] as const)('the exception of a context of type %s', (type) => {
  it('is the one that Nest sends as it is, with what there is', () => {
    const error = new SessionAuthError('further_factor_required', 'one of these', { factors: ['totp'] });
    expect(asHttpException(error, hostOf(type))).toBeInstanceOf(EXCEPTIONS[type]);
    const told = { code: 'further_factor_required', message: 'one of these', factors: ['totp'] };
    expect(toldOf(error, type)).toStrictEqual(told);
  });

  it('tells why the session has ended', () => {
    const told = { code: 'session_ended', message: 'the session has ended' };
    expect(toldOf(endedWith('revoked'), type)).toStrictEqual({ ...told, endReason: 'revoked' });
    expect(toldOf(endedWith(undefined), type)).toStrictEqual(told);
  });

  it('says nothing of failures of the server, but when to try again', () => {
    const error = new SessionAuthError('session_store_unavailable', 'down', {
      cause: new Error('at a secret address'),
    });
    const message = expect.not.stringContaining('down');
    expect(toldOf(error, type)).toStrictEqual({ code: 'session_store_unavailable', message, retryAfterSeconds: 1 });
  });
});
