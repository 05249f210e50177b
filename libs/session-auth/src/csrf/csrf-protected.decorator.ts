import { applyDecorators, SetMetadata, UseGuards } from '@nestjs/common';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { CSRF, type CsrfProtection } from './csrf-metadata.js';
import { isMethodName } from './method-name.js';
import { CsrfGuard } from './csrf.guard.js';

/**
 * Refuses unsafe requests that do not come from the application's own pages: see {@link CsrfGuard}. On a handler or a
 * controller; the handler's word counts where both have one. Brings its guard along.
 *
 * @throws SessionAuthError `invalid_configuration` at once for what is no verb in capitals
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
