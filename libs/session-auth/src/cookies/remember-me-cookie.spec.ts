import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { cookieAttributes } from '../../test/fixtures/cookie-attributes.js';
import { anyCharacter } from '../../test/any-character.js';
import { KeyRing } from '../crypto/key-ring.js';
import { formatRememberMeToken, issueRememberMeToken } from '../remember-me/remember-me-token.js';
import { PreSessionCookie } from './pre-session-cookie.js';
import { RememberMeCookie } from './remember-me-cookie.js';
import { markOfUser } from '../crypto/session-token.js';

const NOW = Date.UTC(2026, 0, 1);
const DAY = 24 * 60 * 60 * 1000;
const NEW = 'the new secret, long enough to be one';
const OLD = 'the old secret, long enough to be one';
const ATTRIBUTES = cookieAttributes({ maxAge: 'idle' });

const keys = new KeyRing([NEW]);
const remember = new RememberMeCookie(keys, ATTRIBUTES);
const preSession = new PreSessionCookie(keys, ATTRIBUTES, DAY);
const sent = (setCookie: string): string => setCookie.slice(0, setCookie.indexOf(';'));
const token = formatRememberMeToken(issueRememberMeToken('alice'));
const OPENED = { token, userMark: markOfUser('alice') };

describe('RememberMeCookie', () => {
  it('is sealed, lives as long as the token, and is as hardened as the session cookie', () => {
    const line = remember.issue(token, 'alice', NOW + 30 * DAY, NOW);
    expect(remember.name).toBe('__Host-session-remember');
    expect(line).toMatch(
      /^__Host-session-remember=[\w-]{175}; Max-Age=2592000; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    );
    for (const part of token.split(':')) expect(line).not.toContain(part);
  });

  it('is read until its end, and not from then on', () => {
    const cookie = sent(remember.issue(token, 'alice', NOW + DAY, NOW));
    expect(remember.read(cookie, NOW + DAY - 1)).toMatchObject(OPENED);
    expect(remember.read(cookie, NOW + DAY)).toBeUndefined();
    expect(remember.read(undefined, NOW)).toBeUndefined();
  });

  it('is read under an old key, and not under another', () => {
    const old = sent(new RememberMeCookie(new KeyRing([OLD]), ATTRIBUTES).issue(token, 'alice', NOW + DAY, NOW));
    expect(new RememberMeCookie(new KeyRing([NEW, OLD]), ATTRIBUTES).read(old, NOW)).toMatchObject(OPENED);
    expect(remember.read(old, NOW)).toBeUndefined();
  });

  it('is there also where it is not genuine, and is taken away with the same attributes', () => {
    expect(remember.find('__Host-session-remember=x', NOW)).toMatchObject({ text: 'x', content: undefined });
    expect(remember.find('__Host-session=x', NOW)).toBeUndefined();
    expect(remember.find(undefined, NOW)).toBeUndefined();
    expect(remember.expire()).toMatch(
      /^__Host-session-remember=; Max-Age=0; Path=\/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure; SameSite=Lax$/,
    );
  });
});

describe('PreSessionCookie', () => {
  it('ends with the browser, and is as hardened as the session cookie', () => {
    expect(preSession.name).toBe('__Host-session-csrf');
    expect(preSession.issue(PreSessionCookie.newId(), NOW)).toMatch(
      /^__Host-session-csrf=[\w-]{106}; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    );
    expect(preSession.expire()).toMatch(/^__Host-session-csrf=; Max-Age=0; Path=\/; Expires=/);
  });

  it('has an id of 256 bits that never repeats', () => {
    const ids = Array.from({ length: 1000 }, () => PreSessionCookie.newId());
    expect(new Set(ids).size).toBe(1000);
    expect(ids.every((id) => Buffer.from(id, 'base64url').length === 32)).toBe(true);
  });

  it('is read for its lifetime, and told when an old key sealed it', () => {
    const id = PreSessionCookie.newId();
    const cookie = sent(preSession.issue(id, NOW));
    expect(preSession.find(cookie, NOW + DAY - 1)).toMatchObject({ content: { id }, outdated: false });
    expect(preSession.read(cookie, NOW + DAY)).toBeUndefined();
    expect(preSession.read(undefined, NOW)).toBeUndefined();
    const old = sent(new PreSessionCookie(new KeyRing([OLD]), ATTRIBUTES, DAY).issue(id, NOW));
    const both = new PreSessionCookie(new KeyRing([NEW, OLD]), ATTRIBUTES, DAY);
    expect(both.find(old, NOW)).toMatchObject({ content: { id }, outdated: true });
    expect(preSession.find(old, NOW)).toMatchObject({ content: undefined });
    expect(preSession.find('__Host-session-csrf-x=1', NOW)).toBeUndefined();
  });
});

describe('a cookie of one kind', () => {
  it('is none of another, under whatever name it comes', () => {
    const remembered = sent(remember.issue(token, 'alice', NOW + DAY, NOW)).split('=')[1]!;
    const before = sent(preSession.issue(PreSessionCookie.newId(), NOW)).split('=')[1]!;
    expect(remember.read(`__Host-session-remember=${before}`, NOW)).toBeUndefined();
    expect(preSession.read(`__Host-session-csrf=${remembered}`, NOW)).toBeUndefined();
    const elsewhere = new RememberMeCookie(keys, { ...ATTRIBUTES, name: '__Host-other' });
    expect(elsewhere.read(`__Host-other-remember=${remembered}`, NOW)).toBeUndefined();
  });

  it('is never found in what we did not write: no throw, no acceptance', () => {
    const value = fc.oneof(
      fc.string({ unit: anyCharacter, maxLength: 200 }),
      fc.stringMatching(/^[\w-]{175}$/),
      fc.stringMatching(/^[\w-]{106}$/),
    );
    const name = fc.constantFrom('__Host-session-remember', '__Host-session-csrf', 'x');
    const cookies = fc.array(
      fc.tuple(name, value).map((pair) => pair.join('=')),
      { maxLength: 5 },
    );
    fc.assert(
      fc.property(cookies, (pairs) => {
        const header = pairs.join('; ');
        expect(remember.read(header, NOW)).toBeUndefined();
        expect(preSession.read(header, NOW)).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });
});
