import Bowser from 'bowser';

// a program's own name, at the beginning: `curl/8.5.0`
const PRODUCT = /^[\w.-]{1,40}(?=\/\d)/;

/**
 * A short name of the client for people, such as `Firefox on Windows`, from the `userAgent` of a session or an event;
 * `Unknown device` where it says nothing. Made of untrusted text, for display only: escape it in HTML.
 */
export function deviceName(userAgent: string | undefined): string {
  if (userAgent === undefined || userAgent.trim() === '') return 'Unknown device';
  return browserName(userAgent) ?? PRODUCT.exec(userAgent)?.[0] ?? 'Unknown device';
}

/** Browser family and platform, such as `Firefox on Windows`, without versions; undefined where no browser is known. */
export function browserName(userAgent: string): string | undefined {
  if (userAgent.trim() === '') return undefined;
  const { browser, os } = Bowser.parse(userAgent);
  if (browser.name === undefined || browser.name === '') return undefined;
  return os.name === undefined || os.name === '' ? browser.name : `${browser.name} on ${os.name}`;
}
