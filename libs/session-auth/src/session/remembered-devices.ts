/**
 * The devices that are remembered, as the lifecycle of sessions sees them: one whose session is ended from elsewhere
 * must not sign itself in again by its remember-me token.
 */
export abstract class RememberedDevices {
  /** Forgets the device that a session of a user was signed in from. Returns how many there were. */
  abstract forgetSession(userId: string, sessionId: string): Promise<number>;
  /** Forgets all devices of a user but the one of `keepSessionId`. Returns how many there were. */
  abstract forgetOthers(userId: string, keepSessionId: string | undefined): Promise<number>;
}
