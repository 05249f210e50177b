/**
 * What the lifecycle asks of remember-me: a device whose session is ended from elsewhere must not sign itself in again
 * by its remember-me token.
 */
export abstract class RememberedDevices {
  /** Forgets the device that a session of a user was signed in from. Answers how many there were. */
  abstract forgetSession(userId: string, sessionId: string): Promise<number>;
  /** Forgets all devices of a user but the one of `keepSessionId`. Answers how many there were. */
  abstract forgetOthers(userId: string, keepSessionId: string | undefined): Promise<number>;
}
