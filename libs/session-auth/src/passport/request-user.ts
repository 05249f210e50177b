import type { HttpRouteSession } from '../http/several-sessions.js';
import type { Session } from '../session/session.js';
import type { SessionUser } from '../users/session-user-provider.js';
import type { RequestUser } from './passport.options.js';
import { stateOf, userPropertyOf, type PassportRequest } from './request-state.js';

/**
 * Sets `req.user` to the user of the request's session. If the session has no user, a value that another library has
 * set stays, and a value that this library has set is removed.
 *
 * @throws SessionAuthError `session_store_unavailable`, and the errors of {@link RequestSession.loadUser}
 */
export async function fillUser(request: PassportRequest, route: HttpRouteSession, source: RequestUser): Promise<void> {
  const session = await route.load();
  const state = stateOf(request);
  const property = userPropertyOf(request);
  const isLoggedIn = session?.userId !== undefined;
  const user = isLoggedIn ? await (source === 'user' ? route.loadUser() : userOf(session)) : undefined;
  if (user !== undefined && state.loggedIn === session?.userId) return;
  const isOurs = state.user !== undefined && request[property] === state.user;
  state.user = user;
  if (user !== undefined || isOurs) request[property] = user;
}

function userOf({ userId, email, roles }: Session): SessionUser {
  return { id: userId!, email, roles };
}
