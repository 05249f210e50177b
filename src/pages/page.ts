import { Html } from './html.js';

/** A page as a handler answers it; the frame around it is the same for all. */
export interface PageContent {
  readonly title: string;
  readonly body: Html;
  /** One column in the middle, as for a short form. @default false */
  readonly narrow?: boolean;
  /** @default 200 */
  readonly status?: number;
  /** In seconds: when to try again. */
  readonly retryAfter?: number;
}

/** The answer to a form that was accepted: the browser goes to a page, and a reload sends nothing twice. */
export class SeeOther {
  /**
   * @param path of this site
   * @param notice shown once on the next page, to a user who is signed in
   */
  constructor(
    readonly path: string,
    readonly notice?: string,
  ) {}
}

export type PageAnswer = PageContent | SeeOther;

// a path of ours: nothing that a browser takes for another site's address, such as `//elsewhere` or `/\elsewhere`
const OWN_PATH = /^(\/[\w-]+)+$/;

/** A path that came from outside if it is one of ours, else `fallback`. */
export function ownPath(given: unknown, fallback: string): string {
  return typeof given === 'string' && OWN_PATH.test(given) ? given : fallback;
}
