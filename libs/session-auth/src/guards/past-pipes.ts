import 'reflect-metadata';
import type { PipeTransform } from '@nestjs/common';

const VALUE = Symbol('nestjs-session-auth value');

/** A function, since pipes change objects and texts and leave functions alone. */
type Wrapped = (() => void) & { [VALUE]?: unknown };

const TYPES = 'design:paramtypes';

/**
 * Wraps what a parameter decorator hands over, for the pipes of application, controller and handler, which Nest applies to
 * every parameter: a `ValidationPipe` would make something else of a session or a user.
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
