import Bowser from 'bowser';

// a program's own name, at the beginning: `curl/8.5.0`
const PRODUCT = /^[\w.-]{1,40}(?=\/\d)/;

const KNOWN_BROWSERS = new Set(Object.values(Bowser.BROWSER_MAP));

/**
 * A short name of the client for people, such as `Firefox on Windows`, from the `userAgent` of a session or an event;
 * `Unknown device` where it says nothing. Made of untrusted text, for display only: escape it in HTML.
 */
export function deviceName(userAgent: string | undefined): string {
  if (userAgent === undefined || userAgent.trim() === '') return 'Unknown device';
  const { browser, os } = Bowser.parse(userAgent);
  return nameOf(browser, os) ?? PRODUCT.exec(userAgent)?.[0] ?? 'Unknown device';
}

/** Family and platform of a browser that is known, such as `Firefox on Windows`, without versions. */
export function knownBrowser(userAgent: string): string | undefined {
  if (userAgent.trim() === '') return undefined;
  const { browser, os } = Bowser.parse(userAgent);
  // a name that was only cut out of the text (`Mozilla`) is that of many
  return KNOWN_BROWSERS.has(browser.name ?? '') ? nameOf(browser, os) : undefined;
}

interface Named {
  readonly name?: string;
}

function nameOf(browser: Named, os: Named): string | undefined {
  if (!browser.name) return undefined;
  return os.name ? `${browser.name} on ${os.name}` : browser.name;
}
