import { createParamDecorator, type ExecutionContext, type PipeTransform, type Type } from '@nestjs/common';
import { asHttpException } from '../http/http-exception.js';
import { getRequestSession } from '../http/request-session.js';
import { requireUser } from '../session/session-required.js';

/**
 * The signed-in user, as the application's `SessionUserProvider` knows them now: `@CurrentUser() user: User`. Read
 * once a request, and only where this decorator asks. A user who is gone or disabled is signed out everywhere.
 *
 * @throws HttpException 401 `session_required` without a session, and when the account is gone or disabled
 */
// the type is spelled out: what Nest 12 infers names types that Nest 11 has not got
export const CurrentUser: (...pipes: (PipeTransform | Type<PipeTransform>)[]) => ParameterDecorator =
  createParamDecorator(async (_: undefined, context: ExecutionContext): Promise<unknown> => {
    try {
      return requireUser(await getRequestSession(context.switchToHttp().getRequest<object>()).loadUser());
    } catch (error) {
      throw asHttpException(error, context);
    }
  });
