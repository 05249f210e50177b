import bcrypt from 'bcrypt';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { PasswordHasher } from './password-hasher.js';

/** bcrypt's limit: what comes after is ignored, so two passwords that differ only there would be the same. */
export const MAX_PASSWORD_BYTES = 72;

/** The lowest work factor that bcrypt has. */
export const MIN_COST = 4;
/** The highest work factor that bcrypt has. */
export const MAX_COST = 31;
const BCRYPT_HASH = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;

/** bcrypt with equal work for known and unknown users. Reads `$2a$`, `$2b$` and PHP's `$2y$`, writes `$2b$`. */
export class BcryptPasswordHasher extends PasswordHasher {
  readonly #decoy: Promise<string>;

  /**
   * @param cost work factor: 2^cost rounds, 4 to 31
   * @throws SessionAuthError `invalid_configuration` for any other cost, which bcrypt would replace silently
   */
  constructor(private readonly cost: number) {
    super();
    if (!Number.isInteger(cost) || cost < MIN_COST || cost > MAX_COST) {
      throw new SessionAuthError(
        'invalid_configuration',
        `BcryptPasswordHasher: cost: given ${cost}; allowed is a whole number from ${MIN_COST} to ${MAX_COST}`,
      );
    }
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
    // $2y$ is PHP's name for $2b$, which this bcrypt does not know
    const matches = await bcrypt.compare(password, hash.replace(/^\$2y/, '$2b'));
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
  const cost = Number(BCRYPT_HASH.exec(hash)?.[1]);
  return cost >= MIN_COST && cost <= MAX_COST ? cost : undefined;
}

function refuseTooLong(password: string): void {
  if (Buffer.byteLength(password) > MAX_PASSWORD_BYTES) {
    throw new SessionAuthError('password_too_long', `a password may take at most ${MAX_PASSWORD_BYTES} bytes in UTF-8`);
  }
}
