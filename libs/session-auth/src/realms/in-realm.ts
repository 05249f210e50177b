import 'reflect-metadata';
import type { FactoryProvider, InjectionToken, OptionalFactoryDependency, Provider, Type } from '@nestjs/common';
import { realmToken } from './realm-token.js';

type Dependency = InjectionToken | OptionalFactoryDependency;

// where Nest keeps what the constructor of a class is given
const TYPES = 'design:paramtypes';
const NAMED = 'self:paramtypes';
const OPTIONAL = 'optional:paramtypes';

/**
 * Gives providers to a realm: each is provided under the realm's token, and is handed the realm's own where it depends
 * on another of them. Those of the default realm stay as they are.
 */
export class ProvidersOfRealm {
  readonly #tokens: ReadonlySet<InjectionToken>;

  /** @param tokens of all providers that each realm has of its own */
  constructor(
    private readonly realm: string,
    tokens: readonly InjectionToken[],
  ) {
    this.#tokens = new Set(tokens);
  }

  /** Returns the token under which the realm has what a token names; a token that is nobody's own stays as it is. */
  tokenOf(token: InjectionToken): InjectionToken {
    return this.#tokens.has(token) ? realmToken(this.realm, token) : token;
  }

  /** Returns a provider of the library's. */
  own(provider: Provider): Provider {
    if (typeof provider === 'function') return this.#made(provider, provider);
    if ('useClass' in provider) return this.#made(provider.provide, provider.useClass);
    return this.slot(provider.provide, provider);
  }

  /** Returns a provider that the application has given; a class of its own is injected as the application says. */
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
