import type { InjectionToken, OptionalFactoryDependency, Provider, Type } from '@nestjs/common';
import type { OptionReader } from './option-reader.js';

/** One replaceable part, given as any of Nest's provider forms. */
export type ProviderSlot<T> =
  | { readonly useClass: Type<T> }
  | { readonly useExisting: InjectionToken<T> }
  | { readonly useValue: T }
  | {
      // the parameters have the types of the tokens in `inject`
      readonly useFactory: (...args: never[]) => T | Promise<T>;
      readonly inject?: (InjectionToken | OptionalFactoryDependency)[];
    };

const SLOT_KEYS = ['useClass', 'useExisting', 'useValue', 'useFactory'];

/** Whether a value has the form of a {@link ProviderSlot}. */
export function isProviderSlot(value: unknown): boolean {
  return typeof value === 'object' && value !== null && SLOT_KEYS.some((key) => key in value);
}

/**
 * Reads the slot of an option, if it is given. @throws SessionAuthError `invalid_configuration` for a value that is not
 * a slot
 */
export function readProviderSlot<T>(options: OptionReader, key: string): ProviderSlot<T> | undefined {
  const given = options.get(key);
  if (given !== undefined && !isProviderSlot(given)) {
    throw options.refuse(key, `a provider: { ${SLOT_KEYS.join(' | ')} }`);
  }
  return given as ProviderSlot<T> | undefined;
}

/** The provider that fills a slot. */
export function toProvider(provide: InjectionToken, slot: ProviderSlot<unknown>): Provider {
  return { provide, ...slot } as Provider;
}
