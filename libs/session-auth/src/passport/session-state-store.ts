import { Injectable } from '@nestjs/common';
import { StoreDeadline } from '../async/store-deadline.js';
import type { RequestSession } from '../http/request-session.js';
import { getRequestSession } from '../http/request-session-factory.js';
import { LoginThrottleStore } from '../throttle/login-throttle-store.js';
import { MINUTE } from '../time/units.js';
import { openState, sealState } from './sealed-state.js';

/** The longest time that a user may take at the provider. */
const LIFETIME = 60 * MINUTE;

/** Receives the state to send to the provider, or the error. */
export type StateStored = (error: Error | null, state?: string) => void;

/**
 * Receives whether a state is valid, or the error. `ok` is true for a valid state, or with PKCE the code verifier:
 * strategies expect this in spite of the type. It is false for an invalid state. `state` is the application's state, or
 * the reason of the refusal.
 */
export type StateVerified = (error: Error | null, ok: boolean, state: unknown) => void;

/**
 * The `store` of OAuth 2.0 strategies, with PKCE or without: `super({ …, pkce: true, state: true, store }, …)`. It does
 * not need `req.session`, and works on Express and Fastify.
 *
 * The state that goes to the provider and back is sealed for this browser, which receives a cookie that identifies it.
 * The state contains the code verifier, and the object `state` that the application passes to
 * `passport.authenticate()`. It is valid once, for an hour, and only for the provider and client that it was issued
 * for. Each tab has a separate state; a login invalidates those of the other tabs.
 *
 * `storage.throttle` counts the use, for all nodes that share it.
 */
@Injectable()
export class SessionStateStore {
  /**
   * Creates a state for the request's browser.
   *
   * @param verifier the code verifier of PKCE; undefined without PKCE
   * @param state the state of the application; any value that JSON can represent
   * @param meta the provider and the client
   */
  store(request: object, verifier: unknown, state: unknown, meta: unknown, callback: StateStored): void;
  store(request: object, meta: unknown, callback: StateStored): void;
  store(request: object, callback: StateStored): void;
  store(request: object, verifier?: unknown, state?: unknown, meta?: unknown, callback?: StateStored): void {
    // strategies count the parameters of this function, and pass all of them
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
   * Checks whether a state was issued for the request's browser, and marks it as used.
   *
   * @param meta the provider and the client; strategies that do not know them omit it
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

/** Calls back after the operation is over: an error that the callback throws belongs to the strategy. */
function tellState(
  work: () => Promise<readonly unknown[]>,
  callback: (error: Error | null, ...results: never[]) => void,
): void {
  work().then(
    (results) => process.nextTick(callback, null, ...(results as never[])),
    (error: unknown) => process.nextTick(callback, error as Error),
  );
}
