import type { OptionReader } from '../options/option-reader.js';
import type { Duration } from '../time/durations.js';
import { realmPart } from '../realms/realm-name.js';
import { MINUTE, SECOND } from '../time/units.js';
import { resolveRedirects, type Redirects, type RedirectsOptions } from './redirects.options.js';

/** The names of the endpoints, which are the controller's handlers. */
export const ENDPOINT_NAMES = [
  'csrfToken',
  'login',
  'logout',
  'session',
  'sessions',
  'revoke',
  'revokeAll',
  'reauthenticate',
] as const;

/** One of the ready-made endpoints. */
export type EndpointName = (typeof ENDPOINT_NAMES)[number];

/** The ready-made endpoints. */
export interface EndpointsOptions {
  /** @default 'auth', in realms other than the default one `<realm>/auth` */
  readonly path?: string;
  /**
   * Endpoints that are neither mapped nor documented, so that the application can write its own. A route of the
   * application at the verb and path of a mapped endpoint stops the boot.
   *
   * @default none
   */
  readonly except?: readonly EndpointName[];
  /**
   * How recently a user must have entered their password, or fully logged in by other means, to end sessions other than
   * the current one (ASVS 7.5.2). A remembered device may not end them. `false`: any session of the user may.
   *
   * @default '10m'
   */
  readonly recentAuth?: Duration | false;
  /**
   * The field of `POST login` that contains the login name, in JSON and in forms.
   *
   * @default 'email'
   */
  readonly loginField?: string;
  /** The paths to which plain HTML forms redirect. @default none: forms get the same responses as scripts */
  readonly redirects?: RedirectsOptions;
}

/** The resolved `endpoints` options. */
export interface EndpointsSettings {
  readonly path: string;
  readonly except: readonly EndpointName[];
  /** Milliseconds; undefined if not required. */
  readonly recentAuth: number | undefined;
  readonly loginField: string;
  readonly redirects: Redirects;
}

/** The injection token of {@link EndpointsSettings}. */
export const ENDPOINTS_SETTINGS = Symbol('nestjs-session-auth endpoints settings');

const DEFAULT_RECENT_AUTH = 10 * MINUTE;

/** The slice `endpoints` of the extras; undefined if there are no endpoints. */
export function resolveEndpoints(
  extras: OptionReader,
  realm: string,
  hasUsers: boolean,
): EndpointsSettings | undefined {
  const given = extras.get('endpoints');
  if (given === false || (given === undefined && !hasUsers)) return undefined;
  if (!hasUsers) throw extras.refuse('endpoints', 'false without the option users');
  const endpoints = extras.slice('endpoints', ['path', 'except', 'recentAuth', 'loginField', 'redirects']);
  return {
    path: endpoints.text('path') ?? `${realmPart(realm, '', '/')}auth`,
    except: resolveExcept(endpoints),
    recentAuth:
      endpoints.get('recentAuth') === false
        ? undefined
        : endpoints.duration('recentAuth', DEFAULT_RECENT_AUTH, { least: SECOND, also: 'false' }),
    loginField: resolveLoginField(endpoints),
    redirects: resolveRedirects(endpoints),
  };
}

const FIELD_NAME = /^[a-z][\w.-]{0,99}$/i;
const OTHER_FIELDS = ['password', 'rememberMe'];

function resolveLoginField(endpoints: OptionReader): string {
  const name = endpoints.text('loginField') ?? 'email';
  if (FIELD_NAME.test(name) && !OTHER_FIELDS.includes(name)) return name;
  throw endpoints.refuse(
    'loginField',
    `a letter and at most 99 more of a-z, A-Z, 0-9, _, . and -, other than ${OTHER_FIELDS.join(' and ')}`,
  );
}

function resolveExcept(endpoints: OptionReader): readonly EndpointName[] {
  const given: unknown = endpoints.get('except', []);
  const isAllowed =
    Array.isArray(given) &&
    given.every((name) => ENDPOINT_NAMES.includes(name as EndpointName)) &&
    new Set(given).size === given.length;
  if (isAllowed) return given as EndpointName[];
  const names = ENDPOINT_NAMES.map((name) => `'${name}'`).join(', ');
  const shown = Array.isArray(given) ? given.map((each) => JSON.stringify(each)?.slice(0, 100)).join(', ') : undefined;
  throw endpoints.refuse('except', `an array of different names: ${names}`, shown && `[${shown}]`);
}
