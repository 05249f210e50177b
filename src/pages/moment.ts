import { html, type Html } from './html.js';

const MINUTE = 60_000;
const UNITS = [
  ['day', 24 * 60 * MINUTE],
  ['hour', 60 * MINUTE],
  ['minute', MINUTE],
] as const;

const WORDS = new Intl.RelativeTimeFormat('en', { numeric: 'always' });

/** A time in words, seen from `now`, such as `5 minutes ago`. */
export function ago(at: Date, now: number): string {
  const age = now - at.getTime();
  for (const [unit, length] of UNITS) {
    if (age >= length) return WORDS.format(-Math.floor(age / length), unit);
  }
  return 'just now';
}

/** A time on a page: in words, and exactly for programs and who points at it. */
export function moment(at: Date, now: number): Html {
  return html`<time datetime="${at.toISOString()}" title="${at.toUTCString()}">${ago(at, now)}</time>`;
}
