import 'reflect-metadata';
import type { Type } from '@nestjs/common';
import { MetadataScanner } from '@nestjs/core';

/** A method of a controller or a gateway. */
export interface DeclaredHandler {
  readonly name: string;
  readonly handler: object;
}

const scanner = new MetadataScanner();

/** Returns the distinct classes of Nest's instances of providers or controllers. */
export function typesOf(made: Iterable<{ readonly metatype: unknown }>): readonly Type[] {
  const types = new Set([...made].map(({ metatype }) => metatype));
  return [...types].filter((type): type is Type => typeof type === 'function');
}

/** Returns the methods of a class, including inherited ones, with Nest metadata under a key. */
export function handlersOf(type: Type, key: string): readonly DeclaredHandler[] {
  const prototype = type.prototype as Record<string, object>;
  const all = scanner.getAllMethodNames(prototype).map((name) => ({ name, handler: prototype[name]! }));
  return all.filter(({ handler }) => Reflect.hasMetadata(key, handler));
}
