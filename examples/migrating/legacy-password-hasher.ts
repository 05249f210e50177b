import { scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { BcryptPasswordHasher } from 'nestjs-session-auth';

const derive = promisify(scrypt) as (password: string, salt: string, length: number) => Promise<Buffer>;

/** Reads the hashes of before, `scrypt:salt:key`; each is replaced by bcrypt's at its user's next login. */
export class LegacyPasswordHasher extends BcryptPasswordHasher {
  constructor() {
    super(12);
  }

  override async verify(password: string, hash: string | undefined): Promise<boolean> {
    const [scheme, salt, key] = hash?.split(':') ?? [];
    if (scheme !== 'scrypt' || !salt || !key) return super.verify(password, hash);
    const expected = Buffer.from(key, 'hex');
    return timingSafeEqual(await derive(password, salt, expected.length), expected);
  }
}
