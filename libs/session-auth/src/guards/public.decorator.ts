import { SetMetadata, type CustomDecorator } from '@nestjs/common';

/** The metadata key of {@link Public}. */
export const PUBLIC = 'nestjs-session-auth:public';

/**
 * Makes a handler or controller public, when `global: true` or a guard on the class requires a session. No session is
 * read unless the handler uses it: `@CurrentSession()` then injects the session or undefined. A guard that the handler
 * itself names (`@UseGuards(SessionAuthGuard)` on the method) still requires a session.
 */
export function Public(): CustomDecorator {
  return SetMetadata(PUBLIC, true);
}
