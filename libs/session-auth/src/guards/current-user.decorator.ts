import { createParamDecorator, type ExecutionContext, type PipeTransform, type Type } from '@nestjs/common';
import { asHttpException } from '../http/http-exception.js';
import { getRequestSession } from '../http/request-session.js';
import { requireUser } from '../session/session-required.js';
import { pastPipes, untyped, UNWRAPPED } from './past-pipes.js';

const fromRequest = createParamDecorator(async (_: undefined, context: ExecutionContext): Promise<unknown> => {
  try {
    return pastPipes(requireUser(await getRequestSession(context.switchToHttp().getRequest<object>()).loadUser()));
  } catch (error) {
    throw asHttpException(error, context);
  }
});

/**
 * The signed-in user, as the application's `SessionUserProvider` knows them now: `@CurrentUser() user: User`. Read
 * once a request, and only where this decorator asks. A user who is gone or disabled is signed out everywhere.
 *
 * Pipes that are given here see the user; those of the application, controller or handler do not.
 *
 * @throws HttpException 401 `session_required` without a session, and when the account is gone or disabled
 */
export function CurrentUser(...pipes: (PipeTransform | Type<PipeTransform>)[]): ParameterDecorator {
  return untyped(fromRequest(undefined, UNWRAPPED, ...pipes));
}
