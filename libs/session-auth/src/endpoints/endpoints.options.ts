import type { OptionReader } from '../options/option-reader.js';
import type { Duration } from '../time/durations.js';
import { realmPart } from '../realms/realm-name.js';
import { MINUTE, SECOND } from '../time/units.js';

/** The ready-made endpoints. */
export interface EndpointsOptions {
  /** @default 'auth', of another realm than the default one `<realm>/auth` */
  readonly path?: string;
  /**
   * How lately a user must have entered their password, or logged in in full by other means, to end sessions other than
   * the one at hand (ASVS 7.5.2). A device that is only remembered may not. `false`: any session of the user's may.
   *
   * @default '10m'
   */
  readonly recentAuth?: Duration | false;
}

/** The resolved `endpoints` options. */
export interface EndpointsSettings {
  readonly path: string;
  /** Milliseconds; undefined: not asked for. */
  readonly recentAuth: number | undefined;
}

/** Where {@link EndpointsSettings} are injected from. */
export const ENDPOINTS_SETTINGS = Symbol('nestjs-session-auth endpoints settings');

const DEFAULT_RECENT_AUTH = 10 * MINUTE;

/** The slice `endpoints` of the extras; undefined: there are none. */
export function resolveEndpoints(
  extras: OptionReader,
  realm: string,
  hasUsers: boolean,
): EndpointsSettings | undefined {
  const given = extras.get('endpoints');
  if (given === false || (given === undefined && !hasUsers)) return undefined;
  if (!hasUsers) throw extras.refuse('endpoints', 'false without the option users');
  const endpoints = extras.slice('endpoints', ['path', 'recentAuth']);
  return {
    path: endpoints.text('path') ?? `${realmPart(realm, '', '/')}auth`,
    recentAuth:
      endpoints.get('recentAuth') === false
        ? undefined
        : endpoints.duration('recentAuth', DEFAULT_RECENT_AUTH, { least: SECOND, also: 'false' }),
  };
}
