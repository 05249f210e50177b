import { SetMetadata, type CustomDecorator } from '@nestjs/common';
import { CSRF } from './csrf-metadata.js';

/**
 * Exempts a handler or controller, when `csrf.global` or a decorator on the class requires a CSRF token. For handlers
 * that do not authenticate by a browser's cookie: a webhook that checks a signature, a token endpoint. A handler that
 * names {@link CsrfGuard} itself stays protected.
 */
export function CsrfExempt(): CustomDecorator {
  return SetMetadata(CSRF, 'exempt');
}
