import { describe, expect, it } from '@jest/globals';
import { placeOf } from './place-of.js';

describe('placeOf', () => {
  it.each([
    ['127.0.0.1', 'this computer (127.0.0.1)'],
    ['::ffff:127.0.0.1', 'this computer (127.0.0.1)'],
    ['::1', 'this computer (::1)'],
    ['192.168.1.7', 'the local network (192.168.1.7)'],
    ['172.31.0.1', 'the local network (172.31.0.1)'],
    ['172.32.0.1', '172.32.0.1'],
    ['fd12::1', 'the local network (fd12::1)'],
    ['203.0.113.9', '203.0.113.9'],
    ['2001:db8::1', '2001:db8::1'],
    ['<b>', 'unknown place'],
    [undefined, 'unknown place'],
  ])('says of %s: %s', (ip, place) => {
    expect(placeOf(ip)).toBe(place);
  });
});
