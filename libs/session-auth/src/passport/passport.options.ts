import { OptionReader } from '../options/option-reader.js';

/** Options of {@link PassportCompatModule}. */
export interface PassportCompatOptions {
  /**
   * The value of `req.user` for a request with the session of a user.
   *
   * - `'session'`: `{ id, email, roles }` of the session. It calls no method of `users`.
   * - `'user'`: the user as `@CurrentUser()` returns it. `findById` of `users` is called once for each request. A user
   *   who is deleted or disabled is signed out everywhere. Without the option `users` the application does not boot.
   *
   * @default 'session'
   */
  readonly requestUser?: RequestUser;
}

/** The value of `req.user`. */
export type RequestUser = 'session' | 'user';

/** The injection token of the resolved `requestUser`. */
export const REQUEST_USER = Symbol('nestjs-session-auth request user');

/** @throws SessionAuthError `invalid_configuration` */
export function resolvePassportCompat(options: unknown): RequestUser {
  const given = OptionReader.root(options, ['requestUser'], 'PassportCompatModule');
  return given.oneOf('requestUser', ['session', 'user'], 'session');
}
