import { SetMetadata, type CustomDecorator } from '@nestjs/common';
import { HandlerMetadata } from '../http/handler-metadata.js';

const PUBLIC = 'nestjs-session-auth:public';

/** Whether a handler was marked {@link Public}. @internal */
export const publicMetadata = new HandlerMetadata<boolean>(PUBLIC);

/**
 * Opens a handler or controller to everybody, where `global: true` or a guard on the class asks for a session. No
 * session is read for it unless it asks: `@CurrentSession()` then gives the session or undefined.
 */
export function Public(): CustomDecorator {
  return SetMetadata(PUBLIC, true);
}
