import type { ExecutionContext } from '@nestjs/common';

type Target = object;

/**
 * Reads what a decorator said of a handler: on the method, else on the class. Once a handler and class, then from
 * memory, since metadata never changes after boot.
 */
export class HandlerMetadata<T> {
  readonly #known = new WeakMap<Target, WeakMap<Target, { readonly value: T | undefined }>>();

  constructor(private readonly key: string) {}

  of(context: ExecutionContext): T | undefined {
    const controller = context.getClass() as Target;
    const handler = context.getHandler() as Target;
    let byHandler = this.#known.get(controller);
    if (byHandler === undefined) this.#known.set(controller, (byHandler = new WeakMap()));
    let found = byHandler.get(handler);
    if (found === undefined) byHandler.set(handler, (found = { value: this.#read(handler) ?? this.#read(controller) }));
    return found.value;
  }

  #read(target: Target): T | undefined {
    return Reflect.getMetadata(this.key, target) as T | undefined;
  }
}
