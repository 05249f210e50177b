/**
 * What the lifecycle asks of remember-me: a device whose session is ended from elsewhere must not sign itself in again
 * by its remember-me token.
 */
export interface RememberedDevices {
  /** Forgets the device that a session of a user was signed in from. Called before that session is ended. */
  forgetSession(userId: string, sessionId: string): Promise<unknown>;
  /** Forgets all devices of a user but the one of `keepSessionId`. Called before their sessions are ended. */
  forgetOthers(userId: string, keepSessionId: string | undefined): Promise<unknown>;
}
