import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { anyCharacter } from '../../test/any-character.js';
import { clientNetwork, deviceName, siteOf } from './client.js';

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

describe('deviceName', () => {
  it.each([
    ['Firefox on Windows', 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:136.0) Gecko/20100101 Firefox/136.0'],
    ['Firefox on Linux', 'Mozilla/5.0 (X11; Linux x86_64; rv:136.0) Gecko/20100101 Firefox/136.0'],
    [
      'Chrome on Windows',
      'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/134.0.0.0 Safari/537.36',
    ],
    [
      'Chrome on Android',
      'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/134.0.0.0 Mobile Safari/537.36',
    ],
    [
      'Microsoft Edge on Windows',
      'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/134.0.0.0 Safari/537.36 Edg/134.0.0.0',
    ],
    [
      'Safari on macOS',
      'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.3 Safari/605.1.15',
    ],
    [
      'Safari on iOS',
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_3_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.3 Mobile/15E148 Safari/604.1',
    ],
    ['curl', 'curl/8.5.0'],
    ['PostmanRuntime', 'PostmanRuntime/7.43.0'],
    ['python-requests', 'python-requests/2.32.3'],
    ['okhttp', 'okhttp/4.12.0'],
    ['Go-http-client', 'Go-http-client/2.0'],
    ['Googlebot', 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)'],
  ])('is %s for %s', (name, userAgent) => {
    expect(deviceName(userAgent)).toBe(name);
  });

  it.each([undefined, '', '   ', '/', 'x', '\0', 'curl', '/1.0', `${'x'.repeat(500)}/1.0`, '<script>/1.0'])(
    'is unknown for %p',
    (userAgent) => {
      expect(deviceName(userAgent)).toBe('Unknown device');
    },
  );

  it('returns a name for any text, and never throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: anyCharacter, maxLength: 512 }), (userAgent) => {
        expect(deviceName(userAgent)).not.toBe('');
      }),
    );
  });
});
