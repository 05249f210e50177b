import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { anyCharacter } from '../../test/any-character.js';
import {
  digestOf,
  isSessionToken,
  issueHandle,
  issueNextSessionToken,
  issueSessionToken,
  SESSION_TOKEN_LENGTH,
  sessionTokenFrom,
  shardTagOf,
} from './session-token.js';

const TOKENS = 10_000;

describe('issueSessionToken', () => {
  const tokens = Array.from({ length: TOKENS }, () => issueSessionToken(undefined));

  it('makes tokens of one length and alphabet', () => {
    expect(SESSION_TOKEN_LENGTH).toBe(45);
    expect(tokens.filter((token) => !/^[A-Za-z0-9_-]{45}$/.test(token))).toEqual([]);
    expect(tokens.every(isSessionToken)).toBe(true);
  });

  it('never repeats one', () => {
    expect(new Set(tokens).size).toBe(TOKENS);
  });

  it('gives every one of the 256 bits an even chance', () => {
    const ones = new Array<number>(256).fill(0);
    for (const token of tokens) {
      const secret = Buffer.from(token.slice(2), 'base64url');
      expect(secret).toHaveLength(32);
      for (let bit = 0; bit < 256; bit += 1) ones[bit]! += (secret[bit >> 3]! >> (bit & 7)) & 1;
    }
    // 6.5 standard deviations: a fair generator fails this once in ten million runs
    const slack = 6.5 * Math.sqrt(TOKENS / 4);
    expect(ones.filter((count) => Math.abs(count - TOKENS / 2) > slack)).toEqual([]);
  });

  it('gives anonymous sessions tags from all over, and a user always the same', () => {
    expect(new Set(tokens.map((token) => token.slice(0, 2))).size).toBeGreaterThan(3000);
    expect(issueSessionToken('alice').slice(0, 2)).toBe(shardTagOf('alice'));
    expect(issueSessionToken('alice').slice(2)).not.toBe(issueSessionToken('alice').slice(2));
  });
});

describe('shardTagOf', () => {
  it('is two characters of base64url for any user id, always the same', () => {
    fc.assert(
      fc.property(fc.string({ unit: anyCharacter }), (userId) => {
        expect(shardTagOf(userId)).toMatch(/^[A-Za-z0-9_-]{2}$/);
        expect(shardTagOf(userId)).toBe(shardTagOf(userId));
      }),
    );
  });

  it('agrees between token and digest, so that either finds the user', () => {
    fc.assert(
      fc.property(fc.string(), (userId) => {
        const token = issueSessionToken(userId);
        expect(token.slice(0, 2)).toBe(shardTagOf(userId));
        expect(digestOf(token).slice(0, 2)).toBe(shardTagOf(userId));
      }),
    );
  });

  it('spreads users over the tags', () => {
    const tags = new Set(Array.from({ length: 40_000 }, (_, user) => shardTagOf(String(user))));
    expect(tags.size).toBeGreaterThan(4000);
  });
});

describe('issueNextSessionToken', () => {
  it.each(['alice', undefined])('keeps the shard and nothing else of the token before (user %p)', (userId) => {
    const token = issueSessionToken(userId);
    const next = issueNextSessionToken(digestOf(token));
    expect(isSessionToken(next)).toBe(true);
    expect(next.slice(0, 2)).toBe(token.slice(0, 2));
    expect(next.slice(2)).not.toBe(token.slice(2));
    expect(next.slice(2)).not.toBe(digestOf(token).slice(2));
  });
});

describe('digestOf', () => {
  it('has the form of a token, tells tokens apart and holds nothing of the secret', () => {
    const token = issueSessionToken('alice');
    const digest = digestOf(token);
    expect(digest).toMatch(/^[A-Za-z0-9_-]{45}$/);
    expect(digestOf(token)).toBe(digest);
    expect(digest.slice(2)).not.toBe(token.slice(2));
    expect(digestOf(issueSessionToken('alice'))).not.toBe(digest);
  });

  it('covers the tag as well', () => {
    const secret = issueSessionToken(undefined).slice(2);
    expect(digestOf(`AA${secret}`).slice(2)).not.toBe(digestOf(`AB${secret}`).slice(2));
  });
});

describe('isSessionToken', () => {
  const token = issueSessionToken('alice');

  it.each([
    ['empty', ''],
    ['short', token.slice(1)],
    ['long', `${token}A`],
    ['padded', `${token.slice(0, -1)}=`],
    ['of another alphabet', `${token.slice(0, -1)}+`],
    ['ended by a line break', `${token.slice(0, -1)}\n`],
    ['followed by a line break', `${token}\n`],
    ['a pattern', '*'.repeat(45)],
    ['a path', '../'.repeat(15)],
    ['beyond ASCII', 'é'.repeat(45)],
    ['with NUL', `${token.slice(0, -1)}\0`],
  ])('refuses what is %s', (_what, value) => {
    expect(isSessionToken(value)).toBe(false);
  });

  it('refuses whatever is not of the form', () => {
    fc.assert(
      fc.property(fc.string({ unit: anyCharacter, maxLength: 60 }), (value) => {
        expect(isSessionToken(value)).toBe(value.length === 45 && !/[^A-Za-z0-9_-]/.test(value));
      }),
    );
  });
});

describe('sessionTokenFrom', () => {
  it('is the session token of a user with a secret from elsewhere', () => {
    const secret = issueSessionToken(undefined).slice(2);
    const token = sessionTokenFrom('alice', secret);
    expect(isSessionToken(token)).toBe(true);
    expect(token).toBe(shardTagOf('alice') + secret);
  });
});

describe('issueHandle', () => {
  it('makes handles of 20 characters that do not repeat', () => {
    const handles = Array.from({ length: TOKENS }, issueHandle);
    expect(new Set(handles).size).toBe(TOKENS);
    expect(handles.every((handle) => /^[A-Za-z0-9_-]{20}$/.test(handle))).toBe(true);
  });
});
