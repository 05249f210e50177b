import { BlockList, isIP } from 'node:net';

const MAPPED = /^::ffff:(?=[\d.]+$)/i;

const thisComputer = new BlockList();
thisComputer.addSubnet('127.0.0.0', 8, 'ipv4');
thisComputer.addAddress('::1', 'ipv6');

const localNetwork = new BlockList();
for (const [net, prefix] of [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['169.254.0.0', 16],
] as const) {
  localNetwork.addSubnet(net, prefix, 'ipv4');
}
localNetwork.addSubnet('fc00::', 7, 'ipv6');
localNetwork.addSubnet('fe80::', 10, 'ipv6');

/** Where an address is, in words. A real bank would ask a geolocation database here. */
export function placeOf(ip: string | undefined): string {
  const address = ip?.replace(MAPPED, '') ?? '';
  const version = isIP(address);
  if (version === 0) return 'unknown place';
  const family = version === 4 ? 'ipv4' : 'ipv6';
  if (thisComputer.check(address, family)) return `this computer (${address})`;
  if (localNetwork.check(address, family)) return `the local network (${address})`;
  return address;
}
