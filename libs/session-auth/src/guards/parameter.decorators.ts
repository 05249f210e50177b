import 'reflect-metadata';
import { createParamDecorator, type ExecutionContext, type PipeTransform, type Type } from '@nestjs/common';
import { channelRouteOf } from '../http/channel-routes.js';
import { asHttpException } from '../http/http-exception.js';
import { routeSessionOf } from '../http/request-session-factory.js';
import type { Session } from '../session/session.js';
import { requireUser } from '../session/session-required.js';

/** A property of a session; its methods are reached through the whole session only. */
export type SessionProperty = Exclude<keyof Session, 'update' | 'toJSON'>;

type Pipe = PipeTransform | Type<PipeTransform>;

const sessionOfRequest = createParamDecorator(
  async (property: SessionProperty | undefined, context: ExecutionContext): Promise<unknown> => {
    try {
      const session = await (
        context.getType() === 'http'
          ? routeSessionOf(context.switchToHttp().getRequest<object>())
          : channelRouteOf(context)
      )?.load();
      return pastPipes(property === undefined ? session : session?.[property]);
    } catch (error) {
      throw asHttpException(error, context);
    }
  },
);

const userOfRequest = createParamDecorator(async (_: undefined, context: ExecutionContext): Promise<unknown> => {
  try {
    const route =
      context.getType() === 'http'
        ? routeSessionOf(context.switchToHttp().getRequest<object>())
        : channelRouteOf(context);
    return pastPipes(requireUser(await route?.loadUser()));
  } catch (error) {
    throw asHttpException(error, context);
  }
});

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
  return untyped(sessionOfRequest(property, UNWRAPPED, ...(pipes as Pipe[])));
}

/**
 * The signed-in user, as the application's `SessionUserProvider` knows them now: `@CurrentUser() user: User`. Read
 * once a request, and only where this decorator asks. A user who is gone or disabled is signed out everywhere.
 *
 * Pipes that are given here see the user; those of the application, controller or handler do not.
 *
 * @throws HttpException 401 `session_required` without a session, and when the account is gone or disabled
 */
export function CurrentUser(...pipes: (PipeTransform | Type<PipeTransform>)[]): ParameterDecorator {
  return untyped(userOfRequest(undefined, UNWRAPPED, ...pipes));
}

/** Whether one of the decorators above stands at a parameter, by what Nest keeps of it. */
export function isOurParameter({ pipes }: { readonly pipes?: readonly unknown[] }): boolean {
  return pipes?.includes(UNWRAPPED) === true;
}

const VALUE = Symbol('nestjs-session-auth value');

/** A function, since pipes change objects and texts and leave functions alone. */
type Wrapped = (() => void) & { [VALUE]?: unknown };

const TYPES = 'design:paramtypes';

/**
 * Wraps what a parameter decorator hands over, for the pipes of application, controller and handler, which Nest applies
 * to every parameter: a `ValidationPipe` would make something else of a session or a user.
 */
export function pastPipes(value: unknown): unknown {
  const wrapped: Wrapped = () => undefined;
  wrapped[VALUE] = value;
  return wrapped;
}

/** The first pipe of the parameter itself: unwraps what {@link pastPipes} wrapped. */
export const UNWRAPPED: PipeTransform = {
  transform: (value: unknown) => (typeof value === 'function' && VALUE in value ? (value as Wrapped)[VALUE] : value),
};

/** The decorator, on a parameter of no known class: there is nothing for pipes to validate. */
export function untyped(decorate: ParameterDecorator): ParameterDecorator {
  return (target, key, index) => {
    decorate(target, key, index);
    const types = (key === undefined ? undefined : Reflect.getOwnMetadata(TYPES, target, key)) as unknown[] | undefined;
    if (types !== undefined) Reflect.defineMetadata(TYPES, types.with(index, Object), target, key!);
  };
}
