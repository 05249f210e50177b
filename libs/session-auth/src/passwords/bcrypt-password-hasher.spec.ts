import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import bcrypt from 'bcrypt';
import { BcryptPasswordHasher, MAX_PASSWORD_BYTES } from './bcrypt-password-hasher.js';

const COST = 6;
const PASSWORD = 'correct horse battery staple';
const GARBAGE = [
  '',
  'plain text',
  '$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA',
  '$2b$06$tooshort',
  `$2b$06$${'.'.repeat(54)}`,
  `$2x$06$${'.'.repeat(53)}`,
  `$2b$00$${'.'.repeat(53)}`,
  `$2b$03$${'.'.repeat(53)}`,
  `$2b$32$${'.'.repeat(53)}`,
  `$2b$99$${'.'.repeat(53)}`,
  `$2b$06$${'.'.repeat(53)}\n`,
];

describe('BcryptPasswordHasher', () => {
  const hasher = new BcryptPasswordHasher(COST);

  it('verifies what it hashed and nothing else', async () => {
    const hash = await hasher.hash(PASSWORD);
    expect(hash).toMatch(/^\$2b\$06\$[./A-Za-z0-9]{53}$/);
    expect(hash).not.toBe(await hasher.hash(PASSWORD));
    expect(await hasher.verify(PASSWORD, hash)).toBe(true);
    for (const other of ['', 'Correct horse battery staple', `${PASSWORD} `, `${PASSWORD}\0`]) {
      expect(await hasher.verify(other, hash)).toBe(false);
    }
  });

  it('does not end a password at NUL', async () => {
    const hash = await hasher.hash('same\0one');
    expect(await hasher.verify('same\0other', hash)).toBe(false);
    expect(await hasher.verify('same\0one', hash)).toBe(true);
  });

  it.each(['$2a$', '$2b$', '$2y$'])('reads hashes that begin with %s', async (prefix) => {
    const hash = prefix + (await hasher.hash(PASSWORD)).slice(4);
    expect(await hasher.verify(PASSWORD, hash)).toBe(true);
    expect(await hasher.verify('another', hash)).toBe(false);
    expect(hasher.needsRehash(hash)).toBe(false);
  });

  describe('refuses a password that bcrypt would cut', () => {
    it.each([
      ['letters', 'a'.repeat(72), 'a'.repeat(73)],
      ['letters of two bytes', 'é'.repeat(36), `${'é'.repeat(36)}a`],
      ['letters of three bytes', '漢'.repeat(24), '漢'.repeat(25)],
      ['letters of four bytes', '🔑'.repeat(18), `${'🔑'.repeat(18)}a`],
    ])('counting bytes of UTF-8, not characters: %s', async (_what, longest, tooLong) => {
      expect(Buffer.byteLength(longest)).toBe(MAX_PASSWORD_BYTES);
      const hash = await hasher.hash(longest);
      expect(await hasher.verify(longest, hash)).toBe(true);
      const refusal = { code: 'password_too_long', statusCode: 400, message: expect.stringContaining('72 bytes') };
      await expect(hasher.hash(tooLong)).rejects.toMatchObject(refusal);
      await expect(hasher.verify(tooLong, hash)).rejects.toMatchObject(refusal);
      await expect(hasher.verify(tooLong, undefined)).rejects.toMatchObject(refusal);
    });
  });

  it('asks for a new hash when the cost differs, or when it is none of bcrypt', async () => {
    expect(hasher.needsRehash(await hasher.hash(PASSWORD))).toBe(false);
    for (const cost of [4, 5, 7]) expect(hasher.needsRehash(await bcrypt.hash(PASSWORD, cost))).toBe(true);
    for (const hash of GARBAGE) expect(hasher.needsRehash(hash)).toBe(true);
  });

  it.each([0, 3, 32, 4.5, -1, Number.NaN, Number.POSITIVE_INFINITY])('cannot be made with cost %p', (cost) => {
    expect(() => new BcryptPasswordHasher(cost)).toThrow(
      expect.objectContaining({ code: 'invalid_configuration', message: expect.stringContaining('from 4 to 31') }),
    );
  });

  describe('takes passwords in NFC', () => {
    const composed = 'pa\u00dfw\u00f6rd';
    const decomposed = composed.normalize('NFD');

    it('so that a password is the same whatever the system that types it', async () => {
      const hash = await hasher.hash(decomposed);
      expect(await bcrypt.compare(composed, hash)).toBe(true);
      expect(await hasher.verify(decomposed, hash)).toBe(true);
      expect(await hasher.verify(composed, hash)).toBe(true);
      expect(await hasher.verify(composed.normalize('NFKD').replace('\u00df', 'ss'), hash)).toBe(false);
    });

    it('and still verifies what was hashed as it was typed', async () => {
      const raw = await bcrypt.hash(decomposed, COST);
      expect(await hasher.verify(decomposed, raw)).toBe(true);
      expect(await hasher.verify(composed, raw)).toBe(false);
    });

    it('and measures them so: 36 letters that are typed as two characters each are not too long', async () => {
      const longest = '\u00e9'.repeat(36).normalize('NFD');
      expect(Buffer.byteLength(longest)).toBe(108);
      expect(await hasher.verify(longest, await hasher.hash(longest))).toBe(true);
      await expect(hasher.hash(`${longest}e`)).rejects.toMatchObject({ code: 'password_too_long' });
    });

    it('and verifies by the form that was typed where NFC is too long', async () => {
      // NFC decomposes this letter
      const typed = '\u0958'.repeat(24);
      expect(Buffer.byteLength(typed.normalize('NFC'))).toBeGreaterThan(MAX_PASSWORD_BYTES);
      expect(await hasher.verify(typed, await bcrypt.hash(typed, COST))).toBe(true);
    });
  });

  it.each([[5], [32], [6.5], [Number.NaN]])('cannot be made with cost 6 and maxCost %p', (maxCost) => {
    expect(() => new BcryptPasswordHasher(6, maxCost)).toThrow(
      expect.objectContaining({ code: 'invalid_configuration', message: expect.stringContaining('maxCost') }),
    );
  });

  describe('does the work of one check at its cost', () => {
    let rounds: number;

    beforeEach(() => {
      rounds = 0;
      const { hash, compare } = bcrypt;
      const count = (cost: string | number): void => void (rounds += 2 ** Number(cost));
      jest.spyOn(bcrypt, 'hash').mockImplementation(((data: string, cost: number) => {
        count(cost);
        return hash(data, cost);
      }) as never);
      jest.spyOn(bcrypt, 'compare').mockImplementation(((data: string, encrypted: string) => {
        count(encrypted.slice(4, 6));
        return compare(data, encrypted);
      }) as never);
    });

    afterEach(() => {
      jest.restoreAllMocks();
    });

    it.each<[string, () => Promise<string | undefined>]>([
      ['an unknown user', () => Promise.resolve(undefined)],
      ['a wrong password', () => bcrypt.hash('another', COST)],
      ['a wrong password against a hash of cost 5', () => bcrypt.hash('another', 5)],
      ['a wrong password against a hash of cost 4', () => bcrypt.hash('another', 4)],
      ...GARBAGE.map((hash) => [`the hash '${hash}'`, () => Promise.resolve(hash)] as [string, () => Promise<string>]),
    ])('for %s, and answers false', async (_who, stored) => {
      const hash = await stored();
      await hasher.verify(PASSWORD, undefined); // the decoy is made by now
      rounds = 0;
      expect(await hasher.verify(PASSWORD, hash)).toBe(false);
      expect(rounds).toBe(2 ** COST);
    });

    it('or at the highest cost of a stored hash that it has seen, up to maxCost', async () => {
      const legacy = new BcryptPasswordHasher(4, 6);
      const [cheap, costly, costlier] = await Promise.all([4, 5, 7].map((cost) => bcrypt.hash('another', cost)));
      const workFor = async (hash: string | undefined): Promise<number> => {
        rounds = 0;
        expect(await legacy.verify(PASSWORD, hash)).toBe(false);
        return rounds;
      };
      const workForAll = async (): Promise<number[]> => [
        await workFor(undefined),
        await workFor(cheap),
        await workFor('x'),
      ];
      await workFor(undefined);
      expect(await workForAll()).toEqual([2 ** 4, 2 ** 4, 2 ** 4]);
      expect(await workFor(costly)).toBe(2 ** 5);
      expect(await workForAll()).toEqual([2 ** 5, 2 ** 5, 2 ** 5]);
      // it takes its full cost, but the other checks no more than the maximum
      expect(await workFor(costlier)).toBe(2 ** 7);
      expect(await workForAll()).toEqual([2 ** 6, 2 ** 6, 2 ** 6]);
      expect(await workFor(costly)).toBe(2 ** 6);
    });

    it('for each form of a password, whoever’s it is', async () => {
      const typed = 'a\u0301';
      const hash = await bcrypt.hash('another', COST);
      for (const stored of [undefined, hash]) {
        rounds = 0;
        expect(await hasher.verify(typed, stored)).toBe(false);
        expect(rounds).toBe(2 * 2 ** COST);
      }
    });

    it('and no more where the password is right', async () => {
      const hash = await bcrypt.hash(PASSWORD, 4);
      rounds = 0;
      expect(await hasher.verify(PASSWORD, hash)).toBe(true);
      expect(rounds).toBe(2 ** 4);
    });
  });
});
