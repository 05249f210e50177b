import { SetMetadata, type CustomDecorator, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { HttpExchange } from './http-exchange.js';

const PASSIVE = 'nestjs-session-auth:passive';

const reflector = new Reflector();

/**
 * A GET or HEAD of this handler or controller is no sign of the user's: a page that polls, a heartbeat. The session is
 * read and judged as ever (fingerprint, reuse of a replaced token), but the request neither keeps it alive nor gets it a
 * new token, and a remembered device without a session is not signed in by it: it counts as nobody. Only where
 * the handler has a session made ({@link SessionAuthService.ensureSession}) is it signed in all the same.
 *
 * What a browser fetches ahead (`Sec-Purpose: prefetch`) is taken so on every route.
 */
export function Passive(): CustomDecorator {
  return SetMetadata(PASSIVE, true);
}

/** Whether a request counts as no activity of the user. */
export function isPassive(context: ExecutionContext, { method, headers }: HttpExchange): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false;
  const purpose = headers['sec-purpose'];
  if (typeof purpose === 'string' && /^\s*prefetch\b/i.test(purpose)) return true;
  return reflector.getAllAndOverride<boolean | undefined>(PASSIVE, [context.getHandler(), context.getClass()]) === true;
}
