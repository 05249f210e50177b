import { SetMetadata, type CustomDecorator } from '@nestjs/common';

/** The metadata key of {@link Public}. */
export const PUBLIC = 'nestjs-session-auth:public';

/**
 * Opens a handler or controller to everybody, where `global: true` or a guard on the class asks for a session. No
 * session is read for it unless it asks: `@CurrentSession()` then gives the session or undefined. A guard that a handler
 * names itself (`@UseGuards(SessionAuthGuard)` on the method) asks for a session all the same.
 */
export function Public(): CustomDecorator {
  return SetMetadata(PUBLIC, true);
}
