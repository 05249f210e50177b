import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';

/** A guard's class, which may be abstract. */
export type GuardClass = abstract new (...args: never[]) => CanActivate;

/** Where Nest keeps the guards of `@UseGuards()`. */
export const GUARDS = '__guards__';

const reflector = new Reflector();

/**
 * Whether a handler itself, not only its controller, names a guard: `@UseGuards(SessionAuthGuard)` on the method, with
 * the class, a subclass, or an instance.
 */
export function namesGuard(context: ExecutionContext, guard: GuardClass): boolean {
  return hasGuard(context.getHandler(), guard);
}

/** Whether `@UseGuards()` on a handler or controller names a guard, as {@link namesGuard} does. */
export function hasGuard(target: object, guard: GuardClass): boolean {
  const named = reflector.get<unknown>(GUARDS, target as Parameters<Reflector['get']>[1]);
  return (
    Array.isArray(named) &&
    named.some((each: unknown) => {
      if (each === guard || each instanceof guard) return true;
      return typeof each === 'function' && each.prototype instanceof guard;
    })
  );
}
