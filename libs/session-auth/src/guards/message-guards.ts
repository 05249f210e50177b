import 'reflect-metadata';
import type { CanActivate, ExecutionContext, OnModuleDestroy, Type } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';
import { handlersOf, typesOf } from '../http/declared-handlers.js';
import { GUARDS } from '../http/named-guard.js';

/** Where Nest keeps the pattern of a message handler. */
const PATTERN = 'microservices:pattern';

/**
 * Adds a guard to the message handlers of all controllers, until the application is closed.
 *
 * In a hybrid application Nest runs no global guard for messages, unless the microservice was connected with
 * `inheritAppConfig`. It always runs the guards of a controller. Nest reads them when the microservice is connected, so
 * this must be created earlier: with the providers of the application.
 */
export class MessageGuards implements OnModuleDestroy {
  readonly #guard: CanActivate;
  readonly #guarded: readonly Type[];

  constructor(modules: ModulesContainer, guard: CanActivate) {
    this.#guard = {
      canActivate: (context: ExecutionContext) => context.getType() !== 'rpc' || guard.canActivate(context),
    };
    const controllers = [...modules.values()].flatMap((module) => [...module.controllers.values()]);
    this.#guarded = typesOf(controllers).filter((type) => handlersOf(type, PATTERN).length > 0);
    for (const type of this.#guarded) Reflect.defineMetadata(GUARDS, [this.#guard, ...guardsOf(type)], type);
  }

  /** Another application of the process may have the same controllers. */
  onModuleDestroy(): void {
    for (const type of this.#guarded) {
      const others = guardsOf(type).filter((each) => each !== this.#guard);
      Reflect.defineMetadata(GUARDS, others, type);
    }
  }
}

function guardsOf(type: Type): readonly unknown[] {
  return (Reflect.getMetadata(GUARDS, type) ?? []) as readonly unknown[];
}
