import type { OptionReader } from '../options/option-reader.js';

/** The ready-made endpoints. */
export interface EndpointsOptions {
  /** @default 'auth' */
  readonly path?: string;
}

/** The resolved `endpoints` options. */
export interface EndpointsSettings {
  readonly path: string;
}

/** The slice `endpoints` of the extras; undefined: there are none. */
export function resolveEndpoints(extras: OptionReader, hasUsers: boolean): EndpointsSettings | undefined {
  const given = extras.get('endpoints');
  if (given === false || (given === undefined && !hasUsers)) return undefined;
  if (!hasUsers) throw extras.refuse('endpoints', 'false without the option users');
  return { path: extras.slice('endpoints', ['path']).text('path') ?? 'auth' };
}
