import 'reflect-metadata';
import { Injectable, type CanActivate, type OnModuleInit, type Type } from '@nestjs/common';
import { MetadataScanner, ModulesContainer } from '@nestjs/core';
import { CsrfGuard } from './csrf/csrf.guard.js';
import { EmbeddingGuard } from './csrf/embedding.guard.js';
import { SessionAuthError } from './errors/session-auth.error.js';
import { SessionGuard } from './guards/session-auth.guard.js';
import { RealmRegistry } from './http/realm-registry.js';

/** Where Nest keeps the path of a handler, and what `@UseGuards()` names. */
const PATH = 'path';
const GUARDS = '__guards__';

const OURS: readonly (abstract new (...args: never[]) => CanActivate)[] = [SessionGuard, CsrfGuard, EmbeddingGuard];

/** Refuses at boot what no request could pass: routes of a realm that no module makes. */
@Injectable()
export class RouteRealms implements OnModuleInit {
  readonly #scanner = new MetadataScanner();

  constructor(
    private readonly modules: ModulesContainer,
    private readonly realms: RealmRegistry,
  ) {}

  /** @throws SessionAuthError `invalid_configuration` */
  onModuleInit(): void {
    for (const { controllers } of this.modules.values()) {
      for (const { metatype } of controllers.values())
        if (typeof metatype === 'function') this.#check(metatype as Type);
    }
  }

  #check(type: Type): void {
    const prototype = type.prototype as Record<string, object>;
    for (const name of this.#scanner.getAllMethodNames(prototype)) {
      const handler = prototype[name]!;
      if (!Reflect.hasMetadata(PATH, handler)) continue;
      const { names, isNamed } = this.realms.namesOf(handler, type);
      const missing = names.find((realm) => !this.realms.names.includes(realm));
      // a route that asks for nothing of ours may be of no realm
      if (missing === undefined || (!isNamed && !asksForSession(handler, type))) continue;
      throw new SessionAuthError(
        'invalid_configuration',
        `${type.name}.${name}: ${isNamed ? `@Realm('${missing}')` : 'a guard without @Realm()'}: no SessionAuthModule ` +
          `makes the realm '${missing}'; there is ${this.realms.names.map((each) => `'${each}'`).join(', ')}`,
      );
    }
  }
}

function asksForSession(handler: object, type: Type): boolean {
  const guards = [handler, type].flatMap((target) => (Reflect.getMetadata(GUARDS, target) ?? []) as unknown[]);
  return guards.some((guard) =>
    OURS.some((ours) => guard === ours || guard instanceof ours || (guard as Type | null)?.prototype instanceof ours),
  );
}
