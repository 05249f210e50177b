import type { SessionUser } from 'nestjs-session-auth';

/** A customer of the bank, or one of its people. */
export interface BankUser extends SessionUser {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly roles: readonly string[];
  readonly passwordHash: string;
  readonly disabled: boolean;
  /** Whether they want a mail when they sign in somewhere. */
  readonly wantsSignInMail: boolean;
}
