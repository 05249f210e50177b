import { SetMetadata, type CustomDecorator } from '@nestjs/common';
import { CSRF } from './csrf-metadata.js';

/**
 * Lets a handler or controller go unprotected, where `csrf.global` or a decorator on the class protects it. For what
 * no browser's cookie authenticates: a webhook that checks a signature, a token endpoint. A handler that names
 * {@link CsrfGuard} itself stays protected.
 */
export function CsrfExempt(): CustomDecorator {
  return SetMetadata(CSRF, 'exempt');
}
