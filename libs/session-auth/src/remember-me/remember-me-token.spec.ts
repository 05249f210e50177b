import { describe, expect, it } from '@jest/globals';
import { createHash, createHmac, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { anyCharacter } from '../../test/any-character.js';
import { isSessionToken, issueHandle, shardTagOf } from '../crypto/session-token.js';
import {
  formatRememberMeToken,
  issueNonce,
  issueRememberMeToken,
  parseRememberMeToken,
  REMEMBER_ME_TOKEN_LENGTH,
  rememberedSessionToken,
  successorOf,
  validatorDigest,
} from './remember-me-token.js';

const KEY = randomBytes(32);
const OTHER_KEY = randomBytes(32);

describe('a remember-me token', () => {
  const token = issueRememberMeToken('alice');
  const text = formatRememberMeToken(token);

  it('is a selector of 128 bits behind its user’s shard tag, a colon, and a validator of 256 bits', () => {
    expect(REMEMBER_ME_TOKEN_LENGTH).toBe(68);
    expect(text).toMatch(/^[\w-]{24}:[\w-]{43}$/);
    expect(text).toBe(`${token.selector}:${token.validator}`);
    expect(token.selector.slice(0, 2)).toBe(shardTagOf('alice'));
    expect(Buffer.from(token.selector.slice(2), 'base64url')).toHaveLength(16);
    expect(Buffer.from(token.validator, 'base64url')).toHaveLength(32);
  });

  it('never repeats, in either part', () => {
    const tokens = Array.from({ length: 2000 }, () => issueRememberMeToken('alice'));
    expect(new Set(tokens.map(({ selector }) => selector)).size).toBe(2000);
    expect(new Set(tokens.map(({ validator }) => validator)).size).toBe(2000);
  });

  it('is read back as it was written', () => {
    expect(parseRememberMeToken(text)).toEqual(token);
  });

  it('is known in the store by the SHA-256 of its validator alone', () => {
    const digest = createHash('sha256').update(token.validator).digest('base64url');
    expect(validatorDigest(token.validator)).toBe(digest);
  });
});

describe('parseRememberMeToken', () => {
  const text = formatRememberMeToken(issueRememberMeToken('alice'));
  const [selector = '', validator = ''] = text.split(':');

  it.each([
    ['nothing', ''],
    ['a colon', ':'],
    ['a selector alone', selector],
    ['a selector without its validator', `${selector}:`],
    ['a validator without its selector', `:${validator}`],
    ['the parts the other way round', `${validator}:${selector}`],
    ['no colon', selector + validator],
    ['two colons', `${selector}::${validator.slice(1)}`],
    ['another separator', `${selector}.${validator}`],
    ['a colon one place on', `${selector}${validator[0]!}:${validator.slice(1)}`],
    ['a character too many in front', `A${text}`],
    ['a character too many behind', `${text}A`],
    ['a character too few', text.slice(0, -1)],
    ['a blank in front', ` ${text}`],
    ['a line break behind', `${text}\n`],
    ['a line break in front', `\n${text}`],
    ['padding', `${text.slice(0, -1)}=`],
    ['the other base64 alphabet', `${text.slice(0, -1)}+`],
    ['NUL', `${text.slice(0, -1)}\0`],
    ['a pattern', `${'*'.repeat(24)}:${'*'.repeat(43)}`],
    ['a letter beyond ASCII', `${text.slice(0, -1)}é`],
  ])('refuses %s', (_what, value) => {
    expect(parseRememberMeToken(value)).toBeUndefined();
  });

  it('never throws, and takes nothing but the form', () => {
    const base64url = fc.stringMatching(/^[\w-]*$/);
    const almost = fc.tuple(base64url, fc.constantFrom(':', '::', '', '.'), base64url).map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: anyCharacter, maxLength: 80 }), almost), (value) => {
        const isOfTheForm = value.length === 68 && value[24] === ':' && !/[^\w-]/.test(value.replace(':', ''));
        expect(parseRememberMeToken(value) !== undefined).toBe(isOfTheForm);
      }),
      { numRuns: 500 },
    );
  });
});

describe('what is handed out for a token', () => {
  const token = issueRememberMeToken('alice');
  const nonce = issueNonce();
  const handle = issueHandle();
  const hmac = (label: string): string =>
    createHmac('sha256', KEY).update(`${label}:${token.selector}:${token.validator}:${nonce}`).digest('base64url');

  it('is worked out with a nonce of 128 bits, which is another each time', () => {
    expect(nonce).toMatch(/^[\w-]{22}$/);
    expect(issueNonce()).not.toBe(nonce);
  });

  it('is the same for all who present it, of 256 bits, and worked out by the key', () => {
    expect(successorOf(token, nonce, KEY)).toBe(hmac('validator'));
    expect(successorOf({ ...token }, nonce, KEY)).toBe(successorOf(token, nonce, KEY));
    expect(successorOf(token, nonce, OTHER_KEY)).not.toBe(successorOf(token, nonce, KEY));
  });

  it('is another for every selector, validator and nonce', () => {
    const other = issueRememberMeToken('alice');
    const all = [token, { ...token, selector: other.selector }, { ...token, validator: other.validator }, other];
    const nonces = [nonce, issueNonce()];
    expect(new Set(all.flatMap((each) => nonces.map((given) => successorOf(each, given, KEY)))).size).toBe(8);
  });

  it('has a session token of its user and handle, which holds neither validator nor successor', () => {
    const of = { userId: 'alice', handle };
    const session = rememberedSessionToken(token, nonce, KEY, of);
    expect(isSessionToken(session)).toBe(true);
    expect(session).toBe(shardTagOf('alice') + handle + hmac('session'));
    expect(session).not.toContain(successorOf(token, nonce, KEY));
    expect(rememberedSessionToken(token, nonce, OTHER_KEY, of)).not.toBe(session);
    expect(rememberedSessionToken(token, issueNonce(), KEY, of)).not.toBe(session);
  });
});
