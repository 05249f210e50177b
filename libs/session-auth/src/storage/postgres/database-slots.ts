import type { InjectionToken, OptionalFactoryDependency } from '@nestjs/common';
import { STORE_TIMEOUT } from '../../async/store-timeout.options.js';

/** A part of a storage, which Nest makes. */
interface DatabaseSlot<T, Source> {
  readonly useFactory: (storeTimeout?: number, injected?: Source) => Promise<T>;
  readonly inject: (InjectionToken | OptionalFactoryDependency)[];
}

/**
 * Returns a function that makes the slots of a storage in a database. The boot fails when the tables of a part are
 * missing or of another version.
 *
 * @param options those of the storage, whose `inject` may name the provider of the source
 * @param open returns the source of the parts and their settings
 */
export function databaseSlots<Source, Settings>(
  options: object & { readonly inject?: InjectionToken<Source> },
  open: (
    injected: Source | undefined,
    storeTimeout: number | undefined,
  ) => readonly [Source, Settings] | Promise<readonly [Source, Settings]>,
) {
  return <T extends { checkTables(): Promise<void> }>(
    make: (source: Source, settings: Settings) => T,
    afterwards?: (part: T) => Promise<void>,
  ): DatabaseSlot<T, Source> => ({
    inject: [{ token: STORE_TIMEOUT, optional: true }, ...('inject' in options ? [options.inject!] : [])],
    useFactory: async (storeTimeout, injected) => {
      const part = make(...(await open(injected, storeTimeout)));
      await part.checkTables();
      await afterwards?.(part);
      return part;
    },
  });
}
