import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { clientNetwork, siteOf } from './client-network.js';

describe('clientNetwork', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:192.0.2.1', '192.0.2.1'],
    ['::ffff:c000:201', '192.0.2.1'],
    ['0:0:0:0:0:FFFF:C000:0201', '192.0.2.1'],
    ['::ffff:0:0', '0.0.0.0'],
    ['::ffff:0:c000:201', '0:0:0:0::/64'],
    ['1::ffff:c000:201', '1:0:0:0::/64'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:db8:1::2:3:4:5', '2001:db8:1:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['64:ff9b::192.0.2.1', '192.0.2.1'],
    ['64:ff9b::c000:201', '192.0.2.1'],
    ['64:FF9B:0:0:0:0:192.0.2.1', '192.0.2.1'],
    ['64:ff9b:1::c000:201', '64:ff9b:1:0::/64'],
    ['64:ff9b::1:c000:201', '64:ff9b:0:0::/64'],
    ['0:0:0:0:0:ffff:192.0.2.1', '192.0.2.1'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['no address', 'no address'],
    ['', ''],
  ])('of %j is %j', (ip, network) => {
    expect(clientNetwork(ip)).toBe(network);
  });

  it('is one for all spellings of an address and all addresses of 64 bits, and differs otherwise', () => {
    const half = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 4, maxLength: 4 });
    const text = (groups: number[], pad: number): string =>
      groups.map((group) => group.toString(16).padStart(pad, '0')).join(':');
    fc.assert(
      fc.property(half, half, half, half, (network, host, otherNetwork, otherHost) => {
        const own = clientNetwork(text([...network, ...host], 1));
        expect(clientNetwork(text([...network, ...otherHost], 4).toUpperCase())).toBe(own);
        expect(clientNetwork(text([...otherNetwork, ...host], 1)) === own).toBe(
          text(network, 1) === text(otherNetwork, 1),
        );
      }),
    );
  });
});

describe('siteOf', () => {
  it.each([
    ['2001:db8:1:2::/64', '2001:db8:1:0::/56'],
    ['2001:db8:1:ff::/64', '2001:db8:1:0::/56'],
    ['2001:db8:1:abcd::/64', '2001:db8:1:ab00::/56'],
    ['192.0.2.1', undefined],
    ['no address', undefined],
  ])('of %j is %j', (network, site) => {
    expect(siteOf(network)).toBe(site);
  });
});
