import type { OptionReader } from '../options/option-reader.js';

/** What responses say. */
export interface HttpOptions {
  /**
   * A response for which the session was asked, a refusal too, is kept by no cache (`Cache-Control: no-store`) unless the
   * handler sets `Cache-Control` itself. Without it the Back button shows private pages after the logout.
   *
   * A response that sets one of our cookies or shows a CSRF token is never kept, whatever this says.
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

/** What holds where the application says nothing. */
export const DEFAULT_HTTP: HttpSettings = { noStore: true };

/** The slice `http` of the options. */
export function resolveHttp(root: OptionReader): HttpSettings {
  return { noStore: root.slice('http', ['noStore']).flag('noStore', DEFAULT_HTTP.noStore) };
}
