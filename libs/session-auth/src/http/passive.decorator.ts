import { SetMetadata, type CustomDecorator } from '@nestjs/common';

/** Where {@link Passive} is kept. */
export const PASSIVE = 'nestjs-session-auth:passive';

/**
 * A GET or HEAD of this handler or controller does not count as activity of the user: a page that polls, a heartbeat.
 * The session is read and checked as usual (fingerprint, reuse of a replaced token). But the request neither keeps it
 * alive nor gets a new token, and it does not sign in a remembered device, which counts as anonymous. Only
 * {@link SessionAuthService.ensureSession} signs that device in.
 *
 * Requests that a browser makes in advance (`Sec-Purpose: prefetch`) are passive on every route. So are requests with
 * the header `X-Session-Passive`, which a script may set; a script of another origin only if CORS allows it.
 */
export function Passive(): CustomDecorator {
  return SetMetadata(PASSIVE, true);
}
