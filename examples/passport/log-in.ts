import { promisify } from 'node:util';
import type { Request } from 'express';

/** Opens a session for `req.user`: under the limit of sessions, with a new token, and an event. */
export function logIn(request: Request): Promise<void> {
  return promisify((done: (error?: unknown) => void) => request.logIn(request.user!, done))();
}
