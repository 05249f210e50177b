import { MemoryRememberMeTokenStore, MemorySessionStore } from 'nestjs-session-auth';
import type { StorageOptions } from 'nestjs-session-auth';
import type { Backend } from './bank.js';

/** Stores in memory that note which of their operations are called. */
export interface WatchedBackend extends Backend {
  readonly sessions: MemorySessionStore;
  /** The names of the operations called since the start, or since it was emptied. */
  readonly calls: string[];
}

/** An empty backend in memory, both of whose stores note what they are asked for. */
export function watchedBackend(): WatchedBackend {
  const calls: string[] = [];
  const sessions = new MemorySessionStore();
  const storage = {
    sessions: { useValue: watched(sessions, calls) },
    rememberMe: { useValue: watched(new MemoryRememberMeTokenStore(), calls) },
  };
  return { storage, sessions, calls, redis: undefined, namespace: '', close: () => Promise.resolve() };
}

/**
 * A storage whose stores note what they are asked for, with the realm: `staff: find`. Whoever is given it has the
 * stores of the storage, or those that these return for a realm.
 */
export function watchedStorage(storage: StorageOptions, calls: string[]): StorageOptions {
  return Object.fromEntries(Object.entries(storage).map(([part, slot]) => [part, watchedSlot(slot as Slot, calls)]));
}

type Slot = { readonly useValue: object } | { readonly useFactory: (...dependencies: unknown[]) => unknown };

function watchedSlot(slot: Slot, calls: string[]): object {
  if ('useValue' in slot) return { useValue: watchedInRealm(slot.useValue, calls) };
  const useFactory = async (...dependencies: unknown[]): Promise<object> =>
    watchedInRealm((await slot.useFactory(...dependencies)) as object, calls);
  return { ...slot, useFactory };
}

function watchedInRealm<T extends object>(store: T, calls: string[], realm = 'default'): T {
  return new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]): unknown => {
        const returned: unknown = Reflect.apply(member, target, args);
        if (name === 'ofRealm') return watchedInRealm(returned as object, calls, String(args[0]));
        calls.push(`${realm}: ${String(name)}`);
        return returned;
      };
    },
  });
}

/** Tells of every operation that a store in use is asked for, with what it is given. */
export function watchCalls(store: object, told: (name: string, args: readonly unknown[]) => void): void {
  const members = store as Record<string, unknown>;
  for (const name of operationsOf(store)) {
    const operation = members[name] as (...args: unknown[]) => unknown;
    members[name] = (...args: unknown[]): unknown => {
      told(name, args);
      return Reflect.apply(operation, store, args);
    };
  }
}

function operationsOf(store: object): string[] {
  const names = new Set<string>();
  for (let type = Object.getPrototypeOf(store) as object; type !== Object.prototype;) {
    for (const name of Object.getOwnPropertyNames(type)) names.add(name);
    type = Object.getPrototypeOf(type) as object;
  }
  names.delete('constructor');
  return [...names].filter((name) => typeof (store as Record<string, unknown>)[name] === 'function');
}

function watched<T extends object>(store: T, calls: string[]): T {
  return new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      if (name === 'ofRealm') return (realm: string) => watched(Reflect.apply(member, target, [realm]) as T, calls);
      return (...args: unknown[]): unknown => {
        calls.push(String(name));
        return Reflect.apply(member, target, args);
      };
    },
  });
}
