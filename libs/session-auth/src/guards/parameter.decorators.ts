import 'reflect-metadata';
import { createParamDecorator, type ExecutionContext, type PipeTransform, type Type } from '@nestjs/common';
import { channelRouteOf } from '../http/channel-routes.js';
import { asHttpException } from '../http/http-exception.js';
import { routeSessionOf } from '../http/request-session-factory.js';
import type { Session } from '../session/session.js';
import { requireUser } from '../session/session-required.js';

/** A property of a session; its methods are reached only through the whole session. */
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
 * Injects the session of the request, or one property of it: `@CurrentSession() session: Session<Cart>`,
 * `@CurrentSession('userId') userId: string`.
 *
 * Behind a guard of this library it is always defined. On a public route it is read on first use, and undefined without
 * a session. Pipes given here receive it; those of the application, controller or handler do not.
 */
export function CurrentSession(...propertyOrPipes: (SessionProperty | Pipe)[]): ParameterDecorator {
  const [first, ...rest] = propertyOrPipes;
  const [property, pipes] = typeof first === 'string' ? [first, rest] : [undefined, propertyOrPipes];
  return untyped(sessionOfRequest(property, UNWRAPPED, ...(pipes as Pipe[])));
}

/**
 * Injects the signed-in user, as the application's `SessionUserProvider` returns them now: `@CurrentUser() user: User`.
 * Read once for each request, and only for this decorator. A user who was deleted or disabled is signed out everywhere.
 *
 * Pipes given here receive the user; those of the application, controller or handler do not.
 *
 * @throws HttpException 401 `session_required` without a session, and when the account was deleted or disabled
 */
export function CurrentUser(...pipes: (PipeTransform | Type<PipeTransform>)[]): ParameterDecorator {
  return untyped(userOfRequest(undefined, UNWRAPPED, ...pipes));
}

/** Whether a parameter has one of the decorators above, by its Nest metadata. */
export function isOurParameter({ pipes }: { readonly pipes?: readonly unknown[] }): boolean {
  return pipes?.includes(UNWRAPPED) === true;
}

const VALUE = Symbol('nestjs-session-auth value');

/** A function, because pipes change objects and texts but not functions. */
type Wrapped = (() => void) & { [VALUE]?: unknown };

const TYPES = 'design:paramtypes';

/**
 * Wraps the value of a parameter decorator, because pipes of the application, controller and handler run on every
 * parameter: a `ValidationPipe` would change a session or a user.
 */
export function pastPipes(value: unknown): unknown {
  const wrapped: Wrapped = () => undefined;
  wrapped[VALUE] = value;
  return wrapped;
}

/** The first pipe of the parameter itself: unwraps the value of {@link pastPipes}. */
export const UNWRAPPED: PipeTransform = {
  transform: (value: unknown) => (typeof value === 'function' && VALUE in value ? (value as Wrapped)[VALUE] : value),
};

/** Applies the decorator to a parameter without a known class, so that pipes have nothing to validate. */
export function untyped(decorate: ParameterDecorator): ParameterDecorator {
  return (target, key, index) => {
    decorate(target, key, index);
    const types = (key === undefined ? undefined : Reflect.getOwnMetadata(TYPES, target, key)) as unknown[] | undefined;
    if (types !== undefined) Reflect.defineMetadata(TYPES, types.with(index, Object), target, key!);
  };
}
