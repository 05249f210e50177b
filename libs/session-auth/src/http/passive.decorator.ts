import { SetMetadata, type CustomDecorator } from '@nestjs/common';

/** Where {@link Passive} is kept. */
export const PASSIVE = 'nestjs-session-auth:passive';

/**
 * A GET or HEAD of this handler or controller is no sign of the user's: a page that polls, a heartbeat. The session is
 * read and judged as ever (fingerprint, reuse of a replaced token), but the request neither keeps it alive nor gets it a
 * new token, and a remembered device without a session is not signed in by it: it counts as nobody. Only where
 * the handler has a session made ({@link SessionAuthService.ensureSession}) is it signed in all the same.
 *
 * What a browser fetches ahead (`Sec-Purpose: prefetch`) is taken so on every route, and so is a request with the header
 * `X-Session-Passive`, by which a script says it of its own.
 */
export function Passive(): CustomDecorator {
  return SetMetadata(PASSIVE, true);
}
