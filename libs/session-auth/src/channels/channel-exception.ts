import { HttpException, type ArgumentsHost } from '@nestjs/common';
import type { SessionAuthError } from '../errors/session-auth.error.js';
import { withoutStackTrace } from '../errors/without-stack-trace.js';
import { exceptionClassOf } from './transport-exceptions.js';

/** What a client of a channel is told of an error. */
export interface ToldError {
  readonly message: string;
  readonly realm: string | undefined;
}

/**
 * The exception of a {@link SessionAuthError} outside of HTTP: a `WsException` or an `RpcException` with
 * `{ code, message, realm }`, or in GraphQL an error with `extensions: { code, reason, realm }`. `factors`, `endReason`
 * and `retryAfterSeconds` are there where the error has them.
 */
export function asChannelException(error: SessionAuthError, { message, realm }: ToldError, host: ArgumentsHost): Error {
  const { code, factors, endReason, retryAfterSeconds, extensions } = error;
  const body = { code, message, realm, factors, endReason, retryAfterSeconds };
  return withoutStackTrace(() => {
    const Exception = exceptionClassOf(host.getType<string>());
    if (Exception !== undefined) return new Exception(present(body));
    // without the status in the body, which would have Nest's driver for Apollo write extensions of its own
    const exception = new HttpException(present(body), error.statusCode, { cause: error });
    return Object.assign(exception, { extensions: present({ ...extensions, realm }) });
  });
}

/** Only what there is: sockets would send the rest as null. */
function present(body: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
}
