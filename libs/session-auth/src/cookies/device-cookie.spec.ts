import { hash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { cookieAttributes } from '../../test/fixtures/cookie-attributes.js';
import { KeyRing } from '../crypto/key-ring.js';
import { DeviceCookie, deviceIdOf } from './device-cookie.js';

const DAY = 24 * 60 * 60 * 1000;
const NOW = Date.UTC(2026, 0, 1);
const SECRET = 'a secret that everybody may know, for tests';
const ATTRIBUTES = cookieAttributes();

const cookie = new DeviceCookie(new KeyRing([SECRET]), ATTRIBUTES, 180 * DAY);

/** Returns the cookie that a browser sends back. */
function sent(setCookie: string): string {
  return setCookie.slice(0, setCookie.indexOf(';'));
}

describe('DeviceCookie', () => {
  it('is named after the session cookie', () => {
    expect(cookie.name).toBe('__Host-session-device');
  });

  it('is sealed, long-lived and as hardened as the session cookie', () => {
    const line = cookie.issue(undefined, { user: 'alice', since: NOW }, NOW);
    expect(line).toMatch(
      /^__Host-session-device=[\w-]{234}; Max-Age=15552000; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    );
    expect(line).not.toContain('alice');
  });

  it('knows who signed in from the device and when, and nobody else', () => {
    const device = cookie.read(sent(cookie.issue(undefined, { user: '1', since: NOW - 5 }, NOW)), NOW)!;
    expect(device.id).toMatch(/^[\w-]{22}$/);
    expect(['1', '2', ''].map((user) => device.since(user, NOW))).toEqual([NOW - 5, undefined, undefined]);
  });

  it('gives a new device the id that it is told, and leaves a known one its own', () => {
    const id = deviceIdOf('the id of a pre-session');
    const device = cookie.read(sent(cookie.issue(undefined, { user: '1', since: NOW }, NOW, id)), NOW)!;
    expect(device.id).toBe(id);
    const again = cookie.read(sent(cookie.issue(device, { user: '1', since: NOW }, NOW, deviceIdOf('another'))), NOW)!;
    expect(again.id).toBe(id);
    const unnamed = [1, 2].map(
      () => cookie.read(sent(cookie.issue(undefined, { user: '1', since: NOW }, NOW)), NOW)!.id,
    );
    expect(new Set([...unnamed, id]).size).toBe(3);
  });

  it('remembers the last eight users, keeps its id, and does not grow', () => {
    let line = '';
    const ids = new Set<string>();
    for (let user = 0; user < 10; user += 1) {
      const device = line === '' ? undefined : cookie.read(sent(line), NOW);
      line = cookie.issue(device, { user: `u${user}`, since: NOW + user }, NOW);
      ids.add(cookie.read(sent(line), NOW)!.id);
    }
    const device = cookie.read(sent(line), NOW)!;
    const since = (of: typeof device): unknown[] => Array.from({ length: 10 }, (_, user) => of.since(`u${user}`, NOW));
    expect(since(device)).toEqual([undefined, undefined, ...[2, 3, 4, 5, 6, 7, 8, 9].map((user) => NOW + user)]);
    expect(ids.size).toBe(1);
    // again for a known user: no other user is dropped for it
    const again = cookie.read(sent(cookie.issue(device, { user: 'u5', since: NOW + 50 }, NOW)), NOW)!;
    expect([again.since('u5', NOW), again.since('u2', NOW)]).toEqual([NOW + 50, NOW + 2]);
  });

  it('does not know a user for longer because another one signs in', () => {
    const first = cookie.read(sent(cookie.issue(undefined, { user: 'alice', since: NOW }, NOW)), NOW)!;
    const later = NOW + 180 * DAY - 1;
    const device = cookie.read(sent(cookie.issue(first, { user: 'bob', since: later }, later)), later + 1)!;
    expect([device.since('alice', later), device.since('alice', later + 1)]).toEqual([NOW, undefined]);
    expect(device.since('bob', later + 1)).toBe(later);
  });

  it('knows a user whose digest has a zero in it', () => {
    const names = Array.from({ length: 1000 }, (_, index) => `n${index}`);
    const user = names.find((name) => hash('sha256', `user:${name}`, 'buffer').subarray(0, 8).includes(0))!;
    expect(cookie.read(sent(cookie.issue(undefined, { user, since: NOW }, NOW)), NOW)!.since(user, NOW)).toBe(NOW);
  });

  it('is honoured until its time is over, and not when it is altered, moved or of another key', () => {
    const value = sent(cookie.issue(undefined, { user: 'alice', since: NOW }, NOW));
    expect(cookie.read(value, NOW + 180 * DAY - 1)).toBeDefined();
    expect(cookie.read(value, NOW + 180 * DAY)).toBeUndefined();
    expect(cookie.read(`${value.slice(0, -1)}${value.endsWith('A') ? 'B' : 'A'}`, NOW)).toBeUndefined();
    expect(cookie.read(value.replace('-device', ''), NOW)).toBeUndefined();
    expect(cookie.read(`${value}; ${value}`, NOW)).toBeUndefined();
    expect(cookie.read(undefined, NOW)).toBeUndefined();
    const other = new DeviceCookie(new KeyRing([`another ${SECRET}`]), ATTRIBUTES, 180 * DAY);
    expect(other.read(value, NOW)).toBeUndefined();
    const renewed = new DeviceCookie(new KeyRing([`another ${SECRET}`, SECRET]), ATTRIBUTES, 180 * DAY);
    expect(renewed.read(value, NOW)?.since('alice', NOW)).toBe(NOW);
  });
});

describe('deviceIdOf', () => {
  it('is the same for two logins by one form, another for another, and tells nothing of what names the form', () => {
    const ids = ['a', 'a', 'b'].map((each) => deviceIdOf(each.repeat(43)));
    expect(ids[0]).toMatch(/^[\w-]{22}$/);
    expect([ids[1] === ids[0], ids[2] === ids[0]]).toEqual([true, false]);
    expect(ids[0]).not.toContain('aaa');
  });
});
