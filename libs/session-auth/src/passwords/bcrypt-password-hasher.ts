import bcrypt from 'bcrypt';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { PasswordHasher } from './password-hasher.js';

/** bcrypt's limit: it ignores the rest, so passwords that differ only there would be equal. */
export const MAX_PASSWORD_BYTES = 72;

/** The lowest work factor that bcrypt has. */
export const MIN_COST = 4;
/** The highest work factor that bcrypt has. */
export const MAX_COST = 31;
/** The highest cost of stored hashes to which failing checks are slowed down, unless configured otherwise. */
export const DEFAULT_MAX_COST = 14;
const BCRYPT_HASH = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;

/**
 * Hashes with bcrypt, with equal work for known and unknown users. Reads `$2a$`, `$2b$` and PHP's `$2y$`, writes
 * `$2b$`.
 *
 * Passwords are normalised to NFC (NIST SP 800-63B-4 3.1.1.2), because systems compose typed characters differently. A
 * hash of another form is still verified with that form.
 */
export class BcryptPasswordHasher extends PasswordHasher {
  readonly #maxCost: number;
  readonly #decoy: Promise<string>;
  /** The work of each failing check: the cost of new hashes, or of the costliest stored hash so far. */
  #highestCost: number;

  /**
   * @param cost work factor: 2^cost rounds, 4 to 31
   * @param maxCost failing checks take equally long for stored hashes up to this cost. @default 14, or the cost
   * @throws SessionAuthError `invalid_configuration` for any other cost, which bcrypt would replace silently
   */
  constructor(
    private readonly cost: number,
    maxCost = Math.max(cost, DEFAULT_MAX_COST),
  ) {
    super();
    requireCost('cost', cost, MIN_COST);
    requireCost('maxCost', maxCost, cost);
    this.#maxCost = maxCost;
    this.#highestCost = cost;
    this.#decoy = bcrypt.hash('no password has this hash', cost);
  }

  async hash(password: string): Promise<string> {
    const composed = password.normalize('NFC');
    if (!fits(composed)) throw tooLong();
    return bcrypt.hash(composed, this.cost);
  }

  async verify(password: string, hash: string | undefined): Promise<boolean> {
    const forms = [...new Set([password.normalize('NFC'), password])].filter(fits);
    if (forms.length === 0) throw tooLong();
    const cost = hash === undefined ? undefined : costOf(hash);
    if (cost !== undefined) this.#highestCost = Math.max(this.#highestCost, Math.min(cost, this.#maxCost));
    for (const form of forms) if (await this.#compare(form, hash, cost)) return true;
    return false;
  }

  needsRehash(hash: string): boolean {
    return costOf(hash) !== this.cost;
  }

  async #compare(password: string, hash: string | undefined, cost: number | undefined): Promise<boolean> {
    if (hash === undefined || cost === undefined) {
      await bcrypt.compare(password, await this.#decoy);
      await this.#makeUpFor(this.cost);
      return false;
    }
    // $2y$ is PHP's name for $2b$; this bcrypt does not know it
    const matches = await bcrypt.compare(password, hash.replace(/^\$2y/, '$2b'));
    if (!matches) await this.#makeUpFor(cost);
    return matches;
  }

  /**
   * A hash of lower cost is checked faster, which would reveal its account. This does the missing rounds: after 2^c,
   * another 2^c + 2^(c+1) + … + 2^(C-1) make 2^C.
   */
  async #makeUpFor(cost: number): Promise<void> {
    const until = this.#highestCost;
    for (let missing = cost; missing < until; missing += 1) await bcrypt.hash('', missing);
  }
}

function requireCost(name: string, cost: number, least: number): void {
  if (Number.isInteger(cost) && cost >= least && cost <= MAX_COST) return;
  throw new SessionAuthError(
    'invalid_configuration',
    `BcryptPasswordHasher: ${name}: given ${cost}; allowed is a whole number from ${least} to ${MAX_COST}`,
  );
}

function costOf(hash: string): number | undefined {
  const cost = Number(BCRYPT_HASH.exec(hash)?.[1]);
  return cost >= MIN_COST && cost <= MAX_COST ? cost : undefined;
}

function fits(password: string): boolean {
  return Buffer.byteLength(password) <= MAX_PASSWORD_BYTES;
}

function tooLong(): SessionAuthError {
  return new SessionAuthError('password_too_long', `a password may have at most ${MAX_PASSWORD_BYTES} bytes in UTF-8`);
}
