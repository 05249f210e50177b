import { applyDecorators, SetMetadata, UseGuards } from '@nestjs/common';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { CSRF, type CsrfProtection } from './csrf-metadata.js';
import { isMethodName } from './method-name.js';
import { CsrfGuard } from './csrf.guard.js';

/**
 * Refuses unsafe requests that do not come from the application's own pages: see {@link CsrfGuard}. Use it on a handler
 * or a controller; the handler overrides its controller. Adds its guard.
 *
 * @throws SessionAuthError `invalid_configuration` at once for an invalid verb
 */
export function CsrfProtected(protection: CsrfProtection = {}): MethodDecorator & ClassDecorator {
  for (const method of protection.methods ?? []) {
    if (isMethodName(method)) continue;
    throw new SessionAuthError(
      'invalid_configuration',
      `@CsrfProtected: methods: given ${JSON.stringify(method)}; allowed are HTTP verbs in capitals, such as 'POST'`,
    );
  }
  return applyDecorators(SetMetadata(CSRF, protection), UseGuards(CsrfGuard));
}
