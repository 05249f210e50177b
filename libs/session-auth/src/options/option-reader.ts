import { SessionAuthError } from '../errors/session-auth.error.js';
import { toMilliseconds } from '../time/durations.js';
import { DAY } from '../time/units.js';

/** A hundred years: deadlines stay within what dates and the sealed cookie can hold. */
const MAX_DURATION = 100 * 365 * DAY;

/**
 * Reads one object of options. Refuses unknown keys, wrong types and values out of range, and names them in the error.
 */
export class OptionReader {
  private constructor(
    private readonly path: string,
    private readonly given: Readonly<Record<string, unknown>>,
    private readonly owner = 'SessionAuthModule',
  ) {}

  /**
   * @param owner names the owner of the options in error messages
   * @throws SessionAuthError `invalid_configuration` for a value that is not an object, and for keys that are not
   *   `known`
   */
  static root(options: unknown, known: readonly string[], owner?: string): OptionReader {
    return OptionReader.#checked('', options, known, owner);
  }

  /** An object without options, so that all defaults hold. */
  static empty(path: string): OptionReader {
    return new OptionReader(path, {});
  }

  static #checked(path: string, options: unknown, known: readonly string[], owner?: string): OptionReader {
    const reader = new OptionReader(path, {}, owner);
    if (typeof options !== 'object' || options === null || Array.isArray(options)) {
      throw reader.refuse('', `an object with any of ${known.join(', ')}`, kindOf(options));
    }
    const given = options as Record<string, unknown>;
    for (const key of Object.keys(given)) {
      if (!known.includes(key)) throw reader.refuse(key, `one of the options ${known.join(', ')}`, 'an unknown option');
    }
    return new OptionReader(path, given, owner);
  }

  get(key: string, fallback?: unknown): unknown {
    const value = this.given[key];
    return value === undefined ? fallback : value;
  }

  /** Returns the options below a key; empty if the key is missing. */
  slice(key: string, known: readonly string[]): OptionReader {
    const value = this.given[key];
    return value === undefined
      ? new OptionReader(this.#pathOf(key), {}, this.owner)
      : OptionReader.#checked(this.#pathOf(key), value, known, this.owner);
  }

  /** The options of one element of an array below `key`, such as `headers[1]`. */
  element(key: string, given: unknown, known: readonly string[]): OptionReader {
    return OptionReader.#checked(this.#pathOf(key), given, known, this.owner);
  }

  text(key: string): string | undefined {
    const value = this.given[key];
    if (value !== undefined && (typeof value !== 'string' || value === ''))
      throw this.refuse(key, 'a text that is not empty');
    return value;
  }

  flag(key: string, fallback: boolean): boolean {
    const value = this.get(key, fallback);
    if (typeof value !== 'boolean') throw this.refuse(key, 'true or false');
    return value;
  }

  oneOf<T extends string>(key: string, allowed: readonly T[], fallback: T): T {
    const value = this.get(key, fallback);
    if (!allowed.includes(value as T)) throw this.refuse(key, allowed.map((each) => `'${each}'`).join(', '));
    return value as T;
  }

  integer(key: string, fallback: number, min: number, max: number): number {
    const value = this.get(key, fallback);
    if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
      throw this.refuse(key, `a whole number from ${min} to ${max}`);
    }
    return value;
  }

  /** A duration in milliseconds, from `least` to `most`. `also` names what else the option may be. */
  duration(
    key: string,
    fallback: number,
    { least, most = MAX_DURATION, also }: { readonly least: number; readonly most?: number; readonly also?: string },
  ): number {
    const given = this.given[key];
    if (given === undefined) return fallback;
    const value = toMilliseconds(given);
    if (value === undefined || value < least || value > most) {
      const alternatives = also === undefined ? '' : `${also}, `;
      throw this.refuse(
        key,
        `${alternatives}milliseconds or a duration such as '15m' or '1h', from ${least} to ${most} ms`,
      );
    }
    return value;
  }

  /** The error for a value that is not allowed, with the option's path, what was given, and what is allowed. */
  refuse(key: string, allowed: string, given = inspectValue(this.given[key])): SessionAuthError {
    const path = this.#pathOf(key) || 'options';
    return new SessionAuthError(
      'invalid_configuration',
      `${this.owner}: ${path}: given ${given}; allowed is ${allowed}`,
    );
  }

  #pathOf(key: string): string {
    if (this.path === '') return key;
    return key === '' ? this.path : `${this.path}.${key}`;
  }
}

function inspectValue(value: unknown): string {
  if (typeof value === 'string') return `'${value.slice(0, 100)}'`;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : kindOf(value);
}

/** The type of a value, without the value itself: it may be a secret in the wrong place. */
export function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return `an array of ${value.length}`;
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
