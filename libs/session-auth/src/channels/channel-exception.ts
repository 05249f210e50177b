import { HttpException, type ArgumentsHost } from '@nestjs/common';
import type { SessionAuthError } from '../errors/session-auth.error.js';
import { withoutStackTrace } from '../errors/without-stack-trace.js';
import { exceptionClassOf } from './transport-exceptions.js';

/** The part of an error that a client of a channel sees. */
export interface ToldError {
  readonly message: string;
  readonly realm: string | undefined;
}

/**
 * Returns the exception for a {@link SessionAuthError} outside of HTTP. For sockets and microservices it is a
 * `WsException` or an `RpcException` with `{ code, message, realm }`. In GraphQL it is an error with
 * `extensions: { code, reason, realm }`. `factors`, `endReason` and `retryAfterSeconds` are included when the error has
 * them.
 */
export function asChannelException(error: SessionAuthError, { message, realm }: ToldError, host: ArgumentsHost): Error {
  const { code, factors, endReason, retryAfterSeconds, extensions } = error;
  const body = { code, message, realm, factors, endReason, retryAfterSeconds };
  return withoutStackTrace(() => {
    const Exception = exceptionClassOf(host.getType<string>());
    if (Exception !== undefined) return new Exception(present(body));
    // without the status in the body, because Nest's driver for Apollo would then write its own extensions
    const exception = new HttpException(present(body), error.statusCode, { cause: error });
    return Object.assign(exception, { extensions: present({ ...extensions, realm }) });
  });
}

/** Removes undefined fields, which sockets would send as null. */
function present(body: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
}
