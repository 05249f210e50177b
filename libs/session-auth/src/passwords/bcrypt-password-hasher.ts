import bcrypt from 'bcrypt';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { PasswordHasher } from './password-hasher.js';

/** bcrypt's limit: what comes after is ignored, so two passwords that differ only there would be the same. */
export const MAX_PASSWORD_BYTES = 72;

/** The work factor used unless configured otherwise: 2^12 rounds. */
export const DEFAULT_BCRYPT_COST = 12;

const BCRYPT_HASH = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;

/** bcrypt with equal work for known and unknown users. */
export class BcryptPasswordHasher extends PasswordHasher {
  readonly #decoy: Promise<string>;

  /** @param cost work factor: 2^cost rounds, 4 to 31 */
  constructor(private readonly cost: number) {
    super();
    this.#decoy = bcrypt.hash('no password has this hash', cost);
  }

  async hash(password: string): Promise<string> {
    refuseTooLong(password);
    return bcrypt.hash(password, this.cost);
  }

  async verify(password: string, hash: string | undefined): Promise<boolean> {
    refuseTooLong(password);
    const cost = hash === undefined ? undefined : costOf(hash);
    if (hash === undefined || cost === undefined) {
      await bcrypt.compare(password, await this.#decoy);
      return false;
    }
    const matches = await bcrypt.compare(password, hash);
    if (!matches) await this.#makeUpFor(cost);
    return matches;
  }

  needsRehash(hash: string): boolean {
    return costOf(hash) !== this.cost;
  }

  /**
   * A hash of lower cost is checked faster, which would tell its account from an unknown one. The missing rounds are
   * worked off: 2^c done, and 2^c + 2^(c+1) + … + 2^(C-1) more make 2^C.
   */
  async #makeUpFor(cost: number): Promise<void> {
    for (let missing = cost; missing < this.cost; missing += 1) await bcrypt.hash('', missing);
  }
}

function costOf(hash: string): number | undefined {
  const match = BCRYPT_HASH.exec(hash);
  return match === null ? undefined : Number(match[1]);
}

function refuseTooLong(password: string): void {
  if (Buffer.byteLength(password) > MAX_PASSWORD_BYTES) {
    throw new SessionAuthError('password_too_long', `a password may take at most ${MAX_PASSWORD_BYTES} bytes in UTF-8`);
  }
}
