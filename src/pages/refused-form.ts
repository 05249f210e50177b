import { SessionAuthError, type SessionAuthErrorCode } from 'nestjs-session-auth';
import type { PageContent } from './page.js';

/** What can be wrong with a password form besides the password, in words for people. */
const PROBLEMS: Partial<Record<SessionAuthErrorCode, string>> = {
  too_many_attempts: 'Too many wrong passwords.',
  session_limit_reached:
    'You are signed in on as many devices as your account may have. Sign out on one of them first.',
  password_too_long: 'A password may take at most 72 bytes.',
};

/**
 * The form once more, with what was wrong with it.
 *
 * @param wrong what to say when the password, or the account it was for, is wrong
 * @param page the form with the problem
 * @throws whatever no form can put right
 */
export function refusedForm(error: unknown, wrong: string, page: (problem: string) => PageContent): PageContent {
  const problem =
    error instanceof SessionAuthError ? { ...PROBLEMS, invalid_credentials: wrong }[error.code] : undefined;
  if (problem === undefined) throw error;
  const { statusCode, retryAfterSeconds } = error as SessionAuthError;
  const wait = retryAfterSeconds === undefined ? '' : ` Try again in ${waitingTime(retryAfterSeconds)}.`;
  return { ...page(problem + wait), status: statusCode, retryAfter: retryAfterSeconds };
}

function waitingTime(seconds: number): string {
  const minutes = Math.ceil(seconds / 60);
  return minutes === 1 ? 'a minute' : `${minutes} minutes`;
}
