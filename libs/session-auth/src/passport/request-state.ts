import type { SessionView } from './session-view.js';

const STATE = Symbol('nestjs-session-auth passport');

/** The state that this entry point keeps for a request. */
export interface RequestState {
  /** The value that it has set as `req.user`. */
  user?: unknown;
  /** The id of the user that `req.logIn` has signed in. That user stays in `req.user`. */
  loggedIn?: string;
  /** Set behind `SessionPassport`. */
  view?: SessionView;
}

/** A request as code for passport sees it. */
export interface PassportRequest {
  user?: unknown;
  /** The name of the property for the user, if `passport.initialize()` has set another one than `user`. */
  _userProperty?: string;
  [STATE]?: RequestState;
}

export function stateOf(request: PassportRequest): RequestState {
  return (request[STATE] ??= {});
}

/** The name of the property for the user on a request. */
export function userPropertyOf(request: PassportRequest): 'user' {
  return (request._userProperty ?? 'user') as 'user';
}
