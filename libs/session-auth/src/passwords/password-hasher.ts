/**
 * How passwords are hashed and checked. The default is bcrypt; override the provider to use another function.
 */
export abstract class PasswordHasher {
  /**
   * Returns the hash to store for a new password. The password is normalised to NFC, because systems compose typed
   * characters differently.
   *
   * @throws SessionAuthError `password_too_long` for a password that the function would cut
   */
  abstract hash(password: string): Promise<string>;

  /**
   * Whether a password matches a hash, in NFC or as it was typed. Without a hash (an unknown user, or an account
   * without a password) it returns false after the work of a real check, so that time does not reveal which accounts
   * exist (ASVS 6.3.8). It returns false for a hash of an unknown format too.
   *
   * @throws SessionAuthError `password_too_long`
   */
  abstract verify(password: string, hash: string | undefined): Promise<boolean>;

  /** Whether a stored hash has other parameters than a new one would have. */
  abstract needsRehash(hash: string): boolean;
}
