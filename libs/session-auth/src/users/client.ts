import Bowser from 'bowser';
import { isIPv6 } from 'node:net';

/**
 * The client of a request. Untrusted: use it in lists, events and comparisons, never as the only basis of a decision.
 */
export interface ClientInfo {
  /**
   * The client's address as the HTTP adapter sees it, at most 64 characters. Behind a proxy, configure the adapter's
   * trust.
   */
  readonly ip?: string;
  /** The `User-Agent` header, cut at 512 characters. */
  readonly userAgent?: string;
}

const MAPPED_IPV4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;
/**
 * IPv4-mapped addresses in hexadecimal, as some proxies write them. One bucket for this network would count all of IPv4
 * together.
 */
const MAPPED_GROUPS = '0,0,0,0,0,ffff';
/** `64:ff9b::/96`, by which networks without IPv4 reach IPv4 (RFC 6052 2.1). */
const NAT64_GROUPS = '64,ff9b,0,0,0,0';
const NETWORK_GROUPS = 4;
const NETWORK = /^(.+):([0-9a-f]+)::\/64$/;

/**
 * Returns the network that the throttle counts as one client: an IPv4 address, or the first 64 bits of an IPv6 address,
 * the least that a subscriber gets. An IPv4 address in IPv6 notation counts as IPv4.
 */
export function clientNetwork(ip: string): string {
  const address = ip.split('%', 1)[0]!;
  const mapped = MAPPED_IPV4.exec(address);
  if (mapped !== null) return mapped[1]!;
  if (!isIPv6(address)) return address;
  const [head = '', tail] = address.toLowerCase().split('::', 2);
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  // an IPv4 address at the end counts as two groups
  const width = before.length + after.length + (address.includes('.') ? 1 : 0);
  const groups = tail === undefined ? before : [...before, ...Array<string>(8 - width).fill('0'), ...after];
  const plain = groups.map((group) => group.replace(/^0+(?=.)/, ''));
  const prefix = plain.slice(0, 6).join();
  if (prefix === MAPPED_GROUPS || prefix === NAT64_GROUPS) return ipv4Of(...plain.slice(6));
  return `${plain.slice(0, NETWORK_GROUPS).join(':')}::/64`;
}

/** Returns the 56 bits around a network of 64 bits, which many subscribers get; undefined for an IPv4 address. */
export function siteOf(network: string): string | undefined {
  const [, before, last] = NETWORK.exec(network) ?? [];
  return last && `${before}:${(Number.parseInt(last, 16) & 0xff00).toString(16)}::/56`;
}

function ipv4Of(...groups: readonly string[]): string {
  if (groups[0]?.includes('.') === true) return groups[0];
  const numbers = groups.map((group) => Number.parseInt(group, 16));
  return numbers.flatMap((number) => [number >> 8, number & 0xff]).join('.');
}

// a program's own name, at the beginning: `curl/8.5.0`
const PRODUCT = /^[\w.-]{1,40}(?=\/\d)/;

const KNOWN_BROWSERS = new Set(Object.values(Bowser.BROWSER_MAP));

/**
 * Returns a short name of a client for people, such as `Firefox on Windows`, from the `userAgent` of a session or an
 * event, or `Unknown device`. It comes from untrusted text: escape it in HTML.
 */
export function deviceName(userAgent: string | undefined): string {
  if (userAgent === undefined || userAgent.trim() === '') return 'Unknown device';
  const { browser, os } = Bowser.parse(userAgent);
  return nameOf(browser, os) ?? PRODUCT.exec(userAgent)?.[0] ?? 'Unknown device';
}

/** Returns family and platform of a known browser, such as `Firefox on Windows`, without versions. */
export function knownBrowser(userAgent: string): string | undefined {
  if (userAgent.trim() === '') return undefined;
  const { browser, os } = Bowser.parse(userAgent);
  // many programs share a name that was only cut out of the text, such as `Mozilla`
  return KNOWN_BROWSERS.has(browser.name ?? '') ? nameOf(browser, os) : undefined;
}

interface Named {
  readonly name?: string;
}

function nameOf(browser: Named, os: Named): string | undefined {
  if (!browser.name) return undefined;
  return os.name ? `${browser.name} on ${os.name}` : browser.name;
}
