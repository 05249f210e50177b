import type { SessionView } from './session-view.js';

const STATE = Symbol('nestjs-session-auth passport');

/** What this entry point knows of a request. */
export interface RequestState {
  /** What it has put into `req.user`. */
  user?: unknown;
  /** Whom `req.logIn` has signed in. Its user stays in `req.user`. */
  loggedIn?: string;
  /** Behind `SessionPassport`. */
  view?: SessionView;
}

/** A request as passport's users know it. */
export interface PassportRequest {
  user?: unknown;
  /** Under which name `req.user` is, where `passport.initialize()` was told another one. */
  _userProperty?: string;
  [STATE]?: RequestState;
}

export function stateOf(request: PassportRequest): RequestState {
  return (request[STATE] ??= {});
}

/** Under which name the user is on a request. */
export function userPropertyOf(request: PassportRequest): 'user' {
  return (request._userProperty ?? 'user') as 'user';
}
