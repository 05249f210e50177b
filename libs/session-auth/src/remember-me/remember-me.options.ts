/** What happens when a stolen remember-me token shows up. */
export type OnTheft = 'revoke-tokens-and-sessions' | 'revoke-tokens';

/** All values of {@link OnTheft}. */
export const ON_THEFT_VALUES: readonly OnTheft[] = ['revoke-tokens-and-sessions', 'revoke-tokens'];

/** The resolved `rememberMe` options; times in milliseconds. */
export interface RememberMeSettings {
  readonly lifetime: number;
  readonly sliding: boolean;
  readonly reuseGrace: number;
  readonly onTheft: OnTheft;
}

/** 30 days from the login, 30 seconds of grace; a theft ends tokens and sessions. */
export const DEFAULT_REMEMBER_ME: RememberMeSettings = {
  lifetime: 30 * 24 * 60 * 60 * 1000,
  sliding: false,
  reuseGrace: 30_000,
  onTheft: 'revoke-tokens-and-sessions',
};
