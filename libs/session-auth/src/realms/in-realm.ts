import 'reflect-metadata';
import type { FactoryProvider, InjectionToken, OptionalFactoryDependency, Provider, Type } from '@nestjs/common';
import { realmToken } from './realm-token.js';

type Dependency = InjectionToken | OptionalFactoryDependency;

// where Nest keeps the types of a constructor's parameters
const TYPES = 'design:paramtypes';
const NAMED = 'self:paramtypes';
const OPTIONAL = 'optional:paramtypes';

/**
 * Registers providers for a realm. Each gets the realm's token, and its dependencies on other providers of the set
 * become those of the same realm. Providers of the default realm stay unchanged.
 */
export class ProvidersOfRealm {
  readonly #tokens: ReadonlySet<InjectionToken>;

  /** @param tokens the tokens of all providers that exist once in each realm */
  constructor(
    private readonly realm: string,
    tokens: readonly InjectionToken[],
  ) {
    this.#tokens = new Set(tokens);
  }

  /** Returns the realm's token for a token. Tokens of providers that are not per realm stay unchanged. */
  tokenOf(token: InjectionToken): InjectionToken {
    return this.#tokens.has(token) ? realmToken(this.realm, token) : token;
  }

  /** Returns a provider of the library for this realm. */
  own(provider: Provider): Provider {
    if (typeof provider === 'function') return this.#made(provider, provider);
    if ('useClass' in provider) return this.#made(provider.provide, provider.useClass);
    return this.slot(provider.provide, provider);
  }

  /** Returns a provider that the application has given. Nest injects the application's own classes as usual. */
  slot(provide: InjectionToken, provider: object): Provider {
    const slot = provider as { readonly useExisting?: InjectionToken; readonly inject?: Dependency[] };
    return {
      ...slot,
      provide: this.tokenOf(provide),
      ...(slot.useExisting !== undefined && { useExisting: this.tokenOf(slot.useExisting) }),
      ...(slot.inject !== undefined && { inject: slot.inject.map((each) => this.#dependency(each)) }),
    } as Provider;
  }

  /** Returns the dependencies of a class, in the order of its constructor. */
  dependenciesOf(type: Type): Dependency[] {
    const types = (Reflect.getMetadata(TYPES, type) ?? []) as readonly InjectionToken[];
    const named = (Reflect.getMetadata(NAMED, type) ?? []) as readonly { index: number; param: InjectionToken }[];
    const optional = (Reflect.getMetadata(OPTIONAL, type) ?? []) as readonly number[];
    return types.map((declared, place) => {
      const token = this.tokenOf(named.find(({ index }) => index === place)?.param ?? declared);
      return optional.includes(place) ? { token, optional: true } : token;
    });
  }

  #made(provide: InjectionToken, type: Type): Provider {
    const token = this.tokenOf(provide);
    if (token === provide) return provide === type ? type : { provide, useClass: type };
    const factory: FactoryProvider = {
      provide: token,
      inject: this.dependenciesOf(type),
      useFactory: (...dependencies: unknown[]): unknown => new type(...dependencies),
    };
    return factory;
  }

  #dependency(dependency: Dependency): Dependency {
    if (typeof dependency === 'object' && 'token' in dependency) {
      return { ...dependency, token: this.tokenOf(dependency.token) };
    }
    return this.tokenOf(dependency);
  }
}
