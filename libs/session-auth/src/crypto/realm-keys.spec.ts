import { describe, expect, it } from '@jest/globals';
import { issueCsrfToken, isCsrfToken, CsrfKey } from '../csrf/csrf-token.js';
import { BearerTokens } from './bearer-tokens.js';
import { KeyRing } from './key-ring.js';
import { issueSessionToken } from './session-token.js';

const SECRET = 'a secret that is long enough for tests';
const CONTEXT = 'session-cookie:__Host-session';
const REALMS = ['default', 'staff', 'sta'];

/** All ordered pairs of different realms. */
const PAIRS = REALMS.flatMap((one) => REALMS.filter((other) => other !== one).map((other) => [one, other] as const));

describe('the keys of a realm', () => {
  it('are those of before for the default realm: what an application has sealed goes on opening', () => {
    const ring = new KeyRing([SECRET], 'default');
    expect(ring.deriveKeys('csrf')[0]!.toString('hex')).toBe(PINNED.csrf);
    const sealed = ring.open(PINNED.sealed, CONTEXT);
    expect(sealed?.plaintext.toString()).toBe('a token');
    expect(new KeyRing([SECRET]).open(PINNED.sealed, CONTEXT)?.plaintext.toString()).toBe('a token');
  });

  it.each(PAIRS)(
    'of %s open nothing of %s, though the secrets and the name of the cookie are the same',
    (one, other) => {
      const sealed = new KeyRing([SECRET], one).seal(Buffer.from('a token'), CONTEXT);
      expect(new KeyRing([SECRET], one).open(sealed, CONTEXT)).toBeDefined();
      expect(new KeyRing([SECRET], other).open(sealed, CONTEXT)).toBeUndefined();
      for (const place of [`realm:${one}:${CONTEXT}`, `realm:${other}:${CONTEXT}`]) {
        expect(new KeyRing([SECRET], other).open(sealed, place)).toBeUndefined();
        expect(new KeyRing([SECRET], 'default').open(sealed, place)).toBeUndefined();
      }
    },
  );

  it.each(PAIRS)('of %s make no bearer token and no CSRF token of %s', (one, other) => {
    const token = issueSessionToken('alice');
    const [own, foreign] = [one, other].map((realm) => new KeyRing([SECRET], realm)) as [KeyRing, KeyRing];
    expect(new BearerTokens(foreign).read(new BearerTokens(own).write(token))).toBeUndefined();
    const csrf = (ring: KeyRing): CsrfKey[] => ring.deriveKeys('csrf').map((key) => new CsrfKey(key));
    const binding = { kind: 'session', secret: token } as const;
    const csrfToken = issueCsrfToken(csrf(own)[0]!, binding);
    expect(isCsrfToken(csrfToken, csrf(own), binding)).toBe(true);
    expect(isCsrfToken(csrfToken, csrf(foreign), binding)).toBe(false);
  });
});

/** From the release before realms existed. */
const PINNED = {
  csrf: '31c38927ff1752d9b50e2c1c031b193c37fc58302f06a03016d6feebdf6b4188',
  sealed: 'AXo6-fEx6cPtPAlhuYet_1mBa4s8nvMCghP4oyWflv7_DmNqkjya54Sn9-a9RKPX',
};
