import { createParamDecorator, type ExecutionContext, type PipeTransform, type Type } from '@nestjs/common';
import { asHttpException } from '../http/http-exception.js';
import { getRequestSession } from '../http/request-session.js';
import type { Session } from '../session/session.js';

/** A property of a session; its methods are reached through the whole session only. */
export type SessionProperty = Exclude<keyof Session, 'update' | 'toJSON'>;

/**
 * The session of the request, or one property of it: `@CurrentSession() session: Session<Cart>`,
 * `@CurrentSession('userId') userId: string`.
 *
 * Behind a guard of this library it is always there. On an open route it is read when first asked for, and undefined
 * when there is none.
 */
// the type is spelled out: what Nest 12 infers names types that Nest 11 has not got
export const CurrentSession: (
  ...propertyOrPipes: (SessionProperty | PipeTransform | Type<PipeTransform>)[]
) => ParameterDecorator = createParamDecorator(
  async (property: SessionProperty | undefined, context: ExecutionContext): Promise<unknown> => {
    try {
      const session = await getRequestSession(context.switchToHttp().getRequest<object>()).load();
      return property === undefined ? session : session?.[property];
    } catch (error) {
      throw asHttpException(error, context);
    }
  },
);
