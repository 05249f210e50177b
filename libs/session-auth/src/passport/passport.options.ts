import { OptionReader } from '../options/option-reader.js';

/** Options of {@link PassportCompatModule}. */
export interface PassportCompatOptions {
  /**
   * What `req.user` is for a request with the session of a user.
   *
   * - `'session'`: `{ id, email, roles }` of the session. Nobody is asked for it.
   * - `'user'`: the user as `@CurrentUser()` has them, read by the `findById` of `users` once a request. A user who is
   *   gone or disabled is signed out everywhere. Without the option `users` the application does not boot.
   *
   * @default 'session'
   */
  readonly requestUser?: RequestUser;
}

/** What `req.user` is. */
export type RequestUser = 'session' | 'user';

/** Where the resolved `requestUser` is injected from. */
export const REQUEST_USER = Symbol('nestjs-session-auth request user');

/** @throws SessionAuthError `invalid_configuration` */
export function resolvePassportCompat(options: unknown): RequestUser {
  const given = OptionReader.root(options, ['requestUser'], 'PassportCompatModule');
  return given.oneOf('requestUser', ['session', 'user'], 'session');
}
