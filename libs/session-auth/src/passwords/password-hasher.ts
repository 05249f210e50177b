/**
 * How passwords are hashed and checked. The default is bcrypt; override the provider to use another function.
 */
export abstract class PasswordHasher {
  /**
   * The hash to store of a new password, in Unicode's form NFC: systems differ in how they compose what a keyboard types.
   *
   * @throws SessionAuthError `password_too_long` for a password that the function would cut
   */
  abstract hash(password: string): Promise<string>;

  /**
   * Whether `password` is the one that `hash` was made of, in NFC or else as it was typed. Without a hash (an unknown user, an account without a
   * password) it answers false after the work of a real check, so that time does not tell which accounts exist
   * (ASVS 6.3.8). A stored hash of another format is answered false as well.
   *
   * @throws SessionAuthError `password_too_long`
   */
  abstract verify(password: string, hash: string | undefined): Promise<boolean>;

  /** Whether a stored hash was made with other parameters than a new one would be. */
  abstract needsRehash(hash: string): boolean;
}
