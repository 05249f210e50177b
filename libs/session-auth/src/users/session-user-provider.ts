/**
 * An account's id: a non-empty string without lone surrogates, a safe integer or a bigint. Numbers are kept as their
 * decimal text. Of an object, such as an ObjectId of MongoDB, give `String(id)`.
 */
export type SessionUserId = string | number | bigint;

/**
 * What the library needs to know of a user. The application's own user type extends it with whatever it likes.
 *
 * A user whose id, roles or e-mail address is anything else is refused with `invalid_user`, wherever it is given or
 * looked up: nobody is signed in.
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
 * How the library finds the application's users. Implement it in the service that knows them, and hand it over as
 * `users: { useExisting: UsersService }`.
 */
export abstract class SessionUserProvider<User extends SessionUser = SessionUser> {
  /**
   * The account of a login name, or undefined. `email` is what the client sent, trimmed; whether case matters is the
   * application's to say. It should take about the same time for known and unknown names.
   */
  abstract findByEmail(email: string): Promise<User | null | undefined>;

  /** The account of an id as {@link SessionUser.id} gave it, in text, or undefined. */
  abstract findById(id: string): Promise<User | null | undefined>;

  /**
   * Replaces a user's password hash. Called after a successful login when the stored hash was made with other
   * parameters than the present ones (a raised cost). Optional: without it, old hashes stay.
   */
  savePasswordHash?(id: string, passwordHash: string): Promise<void>;
}
