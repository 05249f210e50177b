import { Injectable } from '@nestjs/common';
import { StoreDeadline } from '../async/store-deadline.js';
import type { RequestSession } from '../http/request-session.js';
import { getRequestSession } from '../http/request-session-factory.js';
import { LoginThrottleStore } from '../throttle/login-throttle-store.js';
import { MINUTE } from '../time/units.js';
import { openState, sealState } from './sealed-state.js';

/** How long people may take at the provider. */
const LIFETIME = 60 * MINUTE;

/** Told the state to send to the provider, or the error. */
export type StateStored = (error: Error | null, state?: string) => void;

/**
 * Told whether a state is good, or the error. `ok` is true; with PKCE it is the code verifier, whatever its type says,
 * as strategies expect it; false for a state that is not good. `state` is what the application has stored, or why it is
 * refused.
 */
export type StateVerified = (error: Error | null, ok: boolean, state: unknown) => void;

/**
 * The `store` of OAuth 2.0 strategies, with PKCE or without: `super({ …, pkce: true, state: true, store }, …)`. It
 * needs no `req.session`, and works on Express and Fastify.
 *
 * The state that goes to the provider and back is sealed for this browser, which is named by a cookie that it gets for
 * it. It holds the code verifier, and what the application gives `passport.authenticate()` as an object `state`. It is
 * good once, for an hour, for the provider and client that it was made for. Each tab has its own; a login ends those of
 * the other tabs.
 *
 * That it was used is counted in `storage.throttle`, for all nodes where that is shared.
 */
@Injectable()
export class SessionStateStore {
  /**
   * Makes a state for the request's browser.
   *
   * @param verifier PKCE's code verifier; undefined without PKCE
   * @param state the application's own; anything that JSON can carry
   * @param meta the provider and the client
   */
  store(request: object, verifier: unknown, state: unknown, meta: unknown, callback: StateStored): void;
  store(request: object, meta: unknown, callback: StateStored): void;
  store(request: object, callback: StateStored): void;
  store(request: object, verifier?: unknown, state?: unknown, meta?: unknown, callback?: StateStored): void {
    // strategies go by the number of parameters, and hand all of them over
    if (typeof verifier === 'function')
      return this.store(request, undefined, undefined, undefined, verifier as StateStored);
    if (typeof state === 'function') return this.store(request, undefined, undefined, verifier, state as StateStored);
    tellState(async () => {
      const requestSession = getRequestSession(request);
      requestSession.requireUnsent();
      const id = requestSession.responseCookies.ensurePreSession();
      const expiresAt = requestSession.services.clock.now() + LIFETIME;
      return [sealState(id, requestSession.realm, { verifier, state, meta: textOf(meta), expiresAt })];
    }, callback!);
  }

  /**
   * Looks whether a state was made for the request's browser, and uses it up.
   *
   * @param meta the provider and the client; strategies that do not know them leave it out
   */
  verify(request: object, providedState: unknown, meta: unknown, callback: StateVerified): void;
  verify(request: object, providedState: unknown, callback: StateVerified): void;
  verify(request: object, providedState: unknown, meta: unknown, callback?: StateVerified): void {
    if (typeof meta === 'function') return this.verify(request, providedState, undefined, meta as StateVerified);
    tellState(async () => {
      const requestSession = getRequestSession(request);
      const id = requestSession.presented.preSession?.content?.id;
      if (id === undefined) return [false, { message: 'Unable to verify authorization request state.' }];
      const opened = openState(id, requestSession.realm, providedState);
      if (opened === undefined) return INVALID;
      const { verifier, state, meta: madeFor, expiresAt } = opened.content;
      const isOthers = meta !== undefined && madeFor !== undefined && textOf(meta) !== madeFor;
      if (isOthers || expiresAt <= requestSession.services.clock.now()) return INVALID;
      if (!(await isFirstUse(requestSession, opened.digest))) return INVALID;
      return [verifier ?? true, state];
    }, callback!);
  }
}

const INVALID = [false, { message: 'Invalid authorization request state.' }] as const;

/** @throws SessionAuthError `session_store_unavailable` */
async function isFirstUse({ services }: RequestSession, digest: string): Promise<boolean> {
  const store = services.above.get(LoginThrottleStore) as LoginThrottleStore;
  const deadline = services.above.get(StoreDeadline) as StoreDeadline;
  const use = { subject: digest, counter: 'state', window: LIFETIME };
  const [counted] = await deadline.run(() => store.add([use], services.clock.now()));
  return counted?.count === 1;
}

function textOf(meta: unknown): string | undefined {
  return meta === undefined ? undefined : JSON.stringify(meta);
}

/** Calls back outside of what has just been done: an error that is thrown there is the strategy's. */
function tellState(
  work: () => Promise<readonly unknown[]>,
  callback: (error: Error | null, ...results: never[]) => void,
): void {
  work().then(
    (results) => process.nextTick(callback, null, ...(results as never[])),
    (error: unknown) => process.nextTick(callback, error as Error),
  );
}
