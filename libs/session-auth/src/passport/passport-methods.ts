import { getRequestSession } from '../http/request-session-factory.js';
import type { SessionUser } from '../users/session-user-provider.js';
import { userIdOf } from '../users/valid-user.js';
import type { SessionCallback } from './passport-session.js';
import { logInBy, logOutBy, tell, type PassportLoginOptions, type PassportLogoutOptions } from './passport-sign-in.js';
import { stateOf, userPropertyOf, type PassportRequest } from './request-state.js';

/** Replaces passport's methods on a request by methods of this library, even if other values have their names. */
export function installMethods(request: PassportRequest): void {
  Object.assign(request, METHODS);
}

function logIn(
  this: PassportRequest,
  user: SessionUser,
  options: PassportLoginOptions | SessionCallback | undefined,
  callback?: SessionCallback,
): void {
  if (typeof options === 'function') return logIn.call(this, user, {}, options);
  const property = userPropertyOf(this);
  this[property] = user;
  if (options?.session === false) {
    callback?.();
    return;
  }
  if (typeof callback !== 'function') throw new Error('req#login requires a callback function');
  const done = loggedIn(this, user, options ?? {}).then(
    () => {
      stateOf(this).loggedIn = userIdOf(user.id);
    },
    (error: unknown) => {
      this[property] = null;
      throw error;
    },
  );
  tell(done, callback);
}

async function loggedIn(request: PassportRequest, user: SessionUser, options: PassportLoginOptions): Promise<void> {
  const requestSession = getRequestSession(request);
  const { view } = stateOf(request);
  if (view !== undefined) await view.logIn(requestSession, user, options);
  else await logInBy(requestSession, request, user, options);
}

function logOut(
  this: PassportRequest,
  options: PassportLogoutOptions | SessionCallback | undefined,
  callback?: SessionCallback,
): void {
  if (typeof options === 'function') return logOut.call(this, {}, options);
  if (typeof callback !== 'function') throw new Error('req#logout requires a callback function');
  const state = stateOf(this);
  const done = loggedOut(this, options ?? {}).then(() => {
    this[userPropertyOf(this)] = null;
    state.user = state.loggedIn = undefined;
  });
  tell(done, callback);
}

async function loggedOut(request: PassportRequest, options: PassportLogoutOptions): Promise<void> {
  const requestSession = getRequestSession(request);
  const { view } = stateOf(request);
  if (view !== undefined) await view.logOut(requestSession, options);
  else await logOutBy(requestSession, request);
}

function isAuthenticated(this: PassportRequest): boolean {
  return Boolean(this[userPropertyOf(this)]);
}

function isUnauthenticated(this: PassportRequest): boolean {
  return !isAuthenticated.call(this);
}

const METHODS = { logIn, login: logIn, logOut, logout: logOut, isAuthenticated, isUnauthenticated };
