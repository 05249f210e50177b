/**
 * The remembered devices, as the session lifecycle needs them. A device whose session was ended from elsewhere must not
 * sign itself in again by its remember-me token.
 */
export abstract class RememberedDevices {
  /** Forgets the device that started a session of a user. Returns how many devices were forgotten. */
  abstract forgetSession(userId: string, sessionId: string): Promise<number>;
  /** Forgets all devices of a user except the one of `keepSessionId`. Returns how many devices were forgotten. */
  abstract forgetOthers(userId: string, keepSessionId: string | undefined): Promise<number>;
  /** The store of their tokens; undefined when remember-me is off. */
  abstract readonly tokenStore: object | undefined;
  /** Forgets all devices of the realm, or those remembered before a time. The {@link tokenStore} must support it. */
  abstract forgetEvery(createdBefore: number | undefined): Promise<void>;
}
