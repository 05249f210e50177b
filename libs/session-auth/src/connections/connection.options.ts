import { OptionReader } from '../options/option-reader.js';
import { DEFAULT_REALM } from '../realms/realm-name.js';

/** Who may open a connection, and how the connection affects their session. */
export interface ConnectionOptions {
  /**
   * Whether a connection may be opened without a session of a user. Handlers behind a guard refuse it in either case.
   * @default 'refuse'
   */
  readonly anonymous?: 'refuse' | 'allow';
  /**
   * Whether messages over a connection keep its session alive: `'touch'` records activity, at most once in
   * `lifetime.touchInterval`. @default 'none'
   */
  readonly activity?: 'none' | 'touch';
  /** The realm or realms whose sessions a connection uses, one session of each. @default the default realm */
  readonly realm?: string | readonly string[];
}

/** The resolved {@link ConnectionOptions}. */
export interface ConnectionSettings {
  readonly isAnonymousAllowed: boolean;
  readonly countsAsActivity: boolean;
  readonly realms: readonly string[];
}

/**
 * @param owner names the owner of the options in messages
 * @param known the names of all realms
 * @throws SessionAuthError `invalid_configuration`
 */
export function resolveConnection(
  options: ConnectionOptions,
  owner: string,
  known: readonly string[],
): ConnectionSettings {
  const reader = OptionReader.root(options, ['anonymous', 'activity', 'realm'], owner);
  const given = reader.get('realm', DEFAULT_REALM);
  const realms: readonly unknown[] = Array.isArray(given) ? given : [given];
  const isAllowed = realms.length > 0 && new Set(realms).size === realms.length;
  if (!isAllowed || !realms.every((realm): realm is string => known.includes(realm as string))) {
    throw reader.refuse('realm', `one or several of the realms that a SessionAuthModule makes: ${known.join(', ')}`);
  }
  return {
    isAnonymousAllowed: reader.oneOf('anonymous', ['refuse', 'allow'], 'refuse') === 'allow',
    countsAsActivity: reader.oneOf('activity', ['none', 'touch'], 'none') === 'touch',
    realms,
  };
}
