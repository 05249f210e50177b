import { isIPv6 } from 'node:net';

const MAPPED_IPV4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;
/** The same network in hexadecimal, as some proxies write it: one bucket for all of it would be one for all of IPv4. */
const MAPPED_GROUPS = '0,0,0,0,0,ffff';
const NETWORK_GROUPS = 4;

/**
 * The network that the throttle takes for one client: an IPv4 address as it is, of an IPv6 address the first 64 bits,
 * which is the least that a subscriber gets.
 */
export function clientNetwork(ip: string): string {
  const address = ip.split('%', 1)[0]!;
  const mapped = MAPPED_IPV4.exec(address);
  if (mapped !== null) return mapped[1]!;
  if (!isIPv6(address)) return address;
  const [head = '', tail] = address.toLowerCase().split('::', 2);
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  // an IPv4 address at the end stands for two groups
  const width = before.length + after.length + (address.includes('.') ? 1 : 0);
  const groups = tail === undefined ? before : [...before, ...Array<string>(8 - width).fill('0'), ...after];
  const plain = groups.map((group) => group.replace(/^0+(?=.)/, ''));
  if (plain.slice(0, 6).join() === MAPPED_GROUPS) return ipv4Of(plain[6]!, plain[7]!);
  return `${plain.slice(0, NETWORK_GROUPS).join(':')}::/64`;
}

function ipv4Of(...groups: readonly string[]): string {
  const numbers = groups.map((group) => Number.parseInt(group, 16));
  return numbers.flatMap((number) => [number >> 8, number & 0xff]).join('.');
}
