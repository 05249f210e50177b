import type { SessionUser } from 'nestjs-session-auth';

/** Somebody who works in the back office. */
export interface StaffUser extends SessionUser {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly roles: readonly string[];
  readonly passwordHash: string;
}
