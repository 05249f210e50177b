import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createHash } from 'node:crypto';
import { anyCharacter } from '../../test/any-character.js';
import {
  addressOf,
  digestOf,
  digestWith,
  HANDLE_LENGTH,
  handleOf,
  HASH_LENGTH,
  hashOf,
  isSessionToken,
  issueHandle,
  issueNextSessionToken,
  issueSessionToken,
  SESSION_TOKEN_LENGTH,
  sessionTokenFrom,
  SHARD_TAG_LENGTH,
  shardTagOf,
} from './session-token.js';

const TOKENS = 10_000;

describe('issueSessionToken', () => {
  const tokens = Array.from({ length: TOKENS }, () => issueSessionToken(undefined));

  it('makes tokens of one length and alphabet', () => {
    expect([SHARD_TAG_LENGTH, HANDLE_LENGTH, HASH_LENGTH, SESSION_TOKEN_LENGTH]).toEqual([2, 20, 43, 65]);
    expect(tokens.filter((token) => !/^[A-Za-z0-9_-]{65}$/.test(token))).toEqual([]);
    expect(tokens.every(isSessionToken)).toBe(true);
  });

  it('never repeats a handle or a secret', () => {
    expect(new Set(tokens.map((token) => token.slice(2, 22))).size).toBe(TOKENS);
    expect(new Set(tokens.map((token) => token.slice(22))).size).toBe(TOKENS);
  });

  it.each([
    ['256 bits of the secret', 22, 65, 32],
    ['120 bits of the handle', 2, 22, 15],
  ])('gives every one of the %s an even chance', (_what, from, to, bytes) => {
    const bits = bytes * 8;
    const ones = new Array<number>(bits).fill(0);
    for (const token of tokens) {
      const part = Buffer.from(token.slice(from, to), 'base64url');
      expect(part).toHaveLength(bytes);
      for (let bit = 0; bit < bits; bit += 1) ones[bit]! += (part[bit >> 3]! >> (bit & 7)) & 1;
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
  it.each(['alice', undefined])('keeps tag and handle and nothing else of the token before (user %p)', (userId) => {
    const token = issueSessionToken(userId);
    for (const before of [token, digestOf(token)]) {
      const next = issueNextSessionToken(before);
      expect(isSessionToken(next)).toBe(true);
      expect(next.slice(0, 22)).toBe(token.slice(0, 22));
      expect([token.slice(22), digestOf(token).slice(22)]).not.toContain(next.slice(22));
      expect(issueNextSessionToken(before)).not.toBe(next);
    }
  });
});

describe('digestOf', () => {
  it('is tag and handle of the token, and SHA-256 of the whole in place of the secret', () => {
    const token = 'ab' + 'handle_handle-handle' + 'secret'.padEnd(43, 'x');
    const hash = createHash('sha256').update(token).digest('base64url');
    expect(digestOf(token)).toBe('abhandle_handle-handle' + hash);
  });

  it('has the form of a token, tells tokens apart and holds nothing of the secret', () => {
    const token = issueSessionToken('alice');
    const digest = digestOf(token);
    expect(digest).toMatch(/^[A-Za-z0-9_-]{65}$/);
    expect(digestOf(token)).toBe(digest);
    expect(digest.slice(0, 22)).toBe(token.slice(0, 22));
    expect(digest.slice(22)).not.toBe(token.slice(22));
    expect(digestOf(issueNextSessionToken(token))).not.toBe(digest);
  });

  it('covers tag and handle as well', () => {
    const secret = issueSessionToken(undefined).slice(22);
    const handle = issueHandle();
    const hashes = ['AA' + handle, 'AB' + handle, 'AA' + issueHandle()].map((start) =>
      hashOf(digestOf(start + secret)),
    );
    expect(new Set(hashes).size).toBe(3);
  });
});

describe('handleOf, hashOf and digestWith', () => {
  const token = issueSessionToken('alice');
  const digest = digestOf(token);

  it('take a token or digest apart', () => {
    expect(handleOf(token)).toBe(token.slice(2, 22));
    expect(handleOf(digest)).toBe(handleOf(token));
    expect(shardTagOf('alice') + handleOf(digest) + hashOf(digest)).toBe(digest);
  });

  it('make the digest of one token into that of another of the same session', () => {
    const next = digestOf(issueNextSessionToken(digest));
    expect(digestWith(digest, hashOf(next))).toBe(next);
  });
});

describe('addressOf', () => {
  it('names the session of a user and is the digest of no token', () => {
    const token = issueSessionToken('alice');
    const address = addressOf('alice', handleOf(token));
    expect(address).toHaveLength(SESSION_TOKEN_LENGTH);
    expect(address.slice(0, 22)).toBe(token.slice(0, 22));
    expect(handleOf(address)).toBe(handleOf(token));
    expect(isSessionToken(address)).toBe(false);
    expect(hashOf(address)).not.toMatch(/[A-Za-z0-9_-]/);
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
    ['a pattern', '*'.repeat(65)],
    ['a path', '../'.repeat(22).slice(0, 65)],
    ['beyond ASCII', 'é'.repeat(65)],
    ['with NUL', `${token.slice(0, -1)}\0`],
  ])('refuses what is %s', (_what, value) => {
    expect(isSessionToken(value)).toBe(false);
  });

  it('refuses whatever is not of the form', () => {
    fc.assert(
      fc.property(fc.string({ unit: anyCharacter, maxLength: 90 }), (value) => {
        expect(isSessionToken(value)).toBe(value.length === 65 && !/[^A-Za-z0-9_-]/.test(value));
      }),
    );
  });
});

describe('sessionTokenFrom', () => {
  it('is the session token of a user, with a handle and a secret from elsewhere', () => {
    const secret = issueSessionToken(undefined).slice(22);
    const handle = issueHandle();
    const token = sessionTokenFrom('alice', handle, secret);
    expect(isSessionToken(token)).toBe(true);
    expect(token).toBe(shardTagOf('alice') + handle + secret);
  });
});

describe('issueHandle', () => {
  it('makes handles of 20 characters that do not repeat', () => {
    const handles = Array.from({ length: TOKENS }, issueHandle);
    expect(new Set(handles).size).toBe(TOKENS);
    expect(handles.every((handle) => /^[A-Za-z0-9_-]{20}$/.test(handle))).toBe(true);
  });
});
