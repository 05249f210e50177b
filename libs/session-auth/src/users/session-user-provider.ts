/**
 * An account's id: a non-empty string without lone surrogates, a safe integer or a bigint. Numbers are kept as their
 * decimal text. Of an object, such as an ObjectId of MongoDB, give `String(id)`.
 */
export type SessionUserId = string | number | bigint;

/**
 * The fields of a user that the library reads. Extend it in the application's user type.
 *
 * A user with an invalid id, roles or e-mail address is refused with `invalid_user`, both as an argument and as the
 * result of a look-up. Nobody is signed in.
 */
export interface SessionUser {
  /** The account's stable id. */
  readonly id: SessionUserId;
  readonly email?: string | null;
  readonly roles?: readonly string[] | null;
  /** As the `PasswordHasher` made it. Absent for accounts that cannot log in by password. */
  readonly passwordHash?: string | null;
  /** A disabled account cannot log in, is not remembered, and `@CurrentUser()` ends its sessions. */
  readonly disabled?: boolean | null;
}

/**
 * Finds the application's users. Implement it in your service of users, and pass it as
 * `users: { useExisting: UsersService }`.
 */
export abstract class SessionUserProvider<User extends SessionUser = SessionUser> {
  /**
   * Returns the account with a login name, or undefined. `email` is what the client sent, trimmed. The application
   * decides whether case matters. It should take about the same time for known and unknown names.
   */
  abstract findByEmail(email: string): Promise<User | null | undefined>;

  /** Returns the account with an id, or undefined. `id` is {@link SessionUser.id} as text. */
  abstract findById(id: string): Promise<User | null | undefined>;

  /**
   * Replaces a user's password hash. Called after a successful login when the stored hash has outdated parameters, such
   * as a lower cost. Optional: without it, old hashes stay.
   */
  savePasswordHash?(id: string, passwordHash: string): Promise<void>;
}
