/** How a handler is protected. */
export interface CsrfProtection {
  /**
   * The protected HTTP verbs, in capitals; all others are open then.
   *
   * @default the module's `csrf.methods`
   */
  readonly methods?: readonly string[];
  /**
   * What a request without a genuine session or remember-me cookie needs: a `'token'` bound to its pre-session cookie,
   * or only acceptable `'headers'`. The latter is for handlers that have no effect without a session, such as a logout.
   *
   * @default 'token'
   */
  readonly withoutSession?: 'token' | 'headers';
}

/** The metadata key of both decorators. The handler overrides its class. */
export const CSRF = 'nestjs-session-auth:csrf';
