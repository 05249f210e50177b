import { createSessionClient, type SessionView } from 'nestjs-session-auth/client';
import { useSyncExternalStore } from 'react';

/** `undefined` until the server has said who is signed in; `null`: nobody. */
let current: SessionView | null | undefined;
const listeners = new Set<() => void>();

function show(session: SessionView | null): void {
  current = session;
  for (const listener of listeners) listener();
}

export const client = createSessionClient({
  on: { login: show, logout: () => show(null), sessionRequired: () => show(null) },
});

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  // asked once, by the first component that wants to know
  if (listeners.size === 1 && current === undefined) {
    client.session().then(
      (session) => show(session ?? null),
      // an outage says nothing about who is signed in
      () => undefined,
    );
  }
  return () => void listeners.delete(listener);
}

/** Who is signed in, in this tab and in the others. */
export function useSession(): SessionView | null | undefined {
  // on the server, nobody is known
  return useSyncExternalStore(
    subscribe,
    () => current,
    () => undefined,
  );
}
