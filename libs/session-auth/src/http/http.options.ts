import type { OptionReader } from '../options/option-reader.js';

/** Headers of responses. */
export interface HttpOptions {
  /**
   * Whether responses that used the session, including refusals, get `Cache-Control: no-store`, unless the handler sets
   * `Cache-Control` itself. Without it the Back button shows private pages after the logout.
   *
   * A response that sets one of the library's cookies or shows a CSRF token is never cached, even with `false`.
   *
   * @default true
   */
  readonly noStore?: boolean;
}

/** The resolved `http` options. */
export interface HttpSettings {
  readonly noStore: boolean;
}

/** Where {@link HttpSettings} are injected from. */
export const HTTP_SETTINGS = Symbol('nestjs-session-auth HTTP settings');

/** The defaults. */
export const DEFAULT_HTTP: HttpSettings = { noStore: true };

/** The slice `http` of the options. */
export function resolveHttp(root: OptionReader): HttpSettings {
  return { noStore: root.slice('http', ['noStore']).flag('noStore', DEFAULT_HTTP.noStore) };
}
