import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { getRequestSession } from '../http/request-session.js';
import { requireUser } from './require-session.js';

/**
 * The signed-in user, as the application's `SessionUserProvider` knows them now: `@CurrentUser() user: User`. Read
 * once a request, and only where this decorator asks. A user who is gone or disabled is signed out everywhere.
 *
 * @throws SessionAuthError `session_required` (401) without a session, and when the account is gone or disabled
 */
export const CurrentUser = createParamDecorator(async (_: undefined, context: ExecutionContext): Promise<unknown> => {
  return requireUser(await getRequestSession(context.switchToHttp().getRequest<object>()).loadUser());
});
