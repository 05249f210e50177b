import type { SessionLink, SessionStore, StorageOptions } from 'nestjs-session-auth';

/**
 * A storage whose link sends no heartbeats of its own, so that it is lost only with its connection. On a machine that
 * stands still for a moment a heartbeat is overdue, and what is published before the link is back does not arrive:
 * users of the link then read the store, and do not learn why a session has ended. Only tests of that need it.
 */
export function steadyLink(storage: StorageOptions): StorageOptions {
  return { ...storage, sessions: steadySlot(storage.sessions as Slot) };
}

type Slot = { readonly useValue: SessionStore } | { readonly useFactory: Make };
type Make = (...dependencies: unknown[]) => SessionStore | Promise<SessionStore>;

function steadySlot(slot: Slot): NonNullable<StorageOptions['sessions']> {
  if ('useValue' in slot) return { useValue: steadyStore(slot.useValue) };
  const { useFactory } = slot;
  return { ...slot, useFactory: async (...dependencies: unknown[]) => steadyStore(await useFactory(...dependencies)) };
}

function steadyStore(store: SessionStore): SessionStore {
  const [link, ofRealm] = [store.link?.bind(store), store.ofRealm?.bind(store)];
  return Object.assign(store, {
    ...(link !== undefined && { link: () => steady(link()) }),
    ...(ofRealm !== undefined && { ofRealm: (realm: string) => steadyStore(ofRealm(realm)) }),
  });
}

function steady(link: SessionLink | undefined): SessionLink | undefined {
  const watch = link?.watch.bind(link);
  return link && Object.assign(link, { watch: (listener: Listener) => watch!(listener, { heartbeat: false }) });
}

type Listener = Parameters<SessionLink['watch']>[0];
