/** How a handler is protected. */
export interface CsrfProtection {
  /**
   * The HTTP verbs that are protected, in capitals; all others are open then.
   *
   * @default the module's `csrf.methods`
   */
  readonly methods?: readonly string[];
  /**
   * What is asked of a request without a genuine session or remember-me cookie: a `'token'` bound to its pre-session
   * cookie, or its `'headers'` only. The latter is for handlers that do nothing for nobody, such as a logout.
   *
   * @default 'token'
   */
  readonly withoutSession?: 'token' | 'headers';
}

/** The metadata key of both decorators: of a class and its handler, the handler's word counts. */
export const CSRF = 'nestjs-session-auth:csrf';
