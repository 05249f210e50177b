import { createParamDecorator, type ExecutionContext, type PipeTransform, type Type } from '@nestjs/common';
import { asHttpException } from '../http/http-exception.js';
import { getRequestSession } from '../http/request-session.js';
import type { Session } from '../session/session.js';
import { pastPipes, untyped, UNWRAPPED } from './past-pipes.js';

/** A property of a session; its methods are reached through the whole session only. */
export type SessionProperty = Exclude<keyof Session, 'update' | 'toJSON'>;

type Pipe = PipeTransform | Type<PipeTransform>;

const fromRequest = createParamDecorator(
  async (property: SessionProperty | undefined, context: ExecutionContext): Promise<unknown> => {
    try {
      const session = await getRequestSession(context.switchToHttp().getRequest<object>()).load();
      return pastPipes(property === undefined ? session : session?.[property]);
    } catch (error) {
      throw asHttpException(error, context);
    }
  },
);

/**
 * The session of the request, or one property of it: `@CurrentSession() session: Session<Cart>`,
 * `@CurrentSession('userId') userId: string`.
 *
 * Behind a guard of this library it is always there. On an open route it is read when first asked for, and undefined
 * when there is none. Pipes that are given here see it; those of the application, controller or handler do not.
 */
export function CurrentSession(...propertyOrPipes: (SessionProperty | Pipe)[]): ParameterDecorator {
  const [first, ...rest] = propertyOrPipes;
  const [property, pipes] = typeof first === 'string' ? [first, rest] : [undefined, propertyOrPipes];
  return untyped(fromRequest(property, UNWRAPPED, ...(pipes as Pipe[])));
}
