import type { PipeTransform } from '@nestjs/common';
import { SessionAuthError } from '../errors/session-auth.error.js';

/** Checks a field. Returns what the value must be, in words, or undefined for a valid value. */
export type FieldRule = (value: unknown) => string | undefined;

/** The rule of every field that a body may have. */
export type FieldRules<T> = { readonly [Key in keyof T]-?: FieldRule };

/** A text that is not empty. */
export function text(maxLength: number): FieldRule {
  return (value) =>
    typeof value === 'string' && value.length > 0 && value.length <= maxLength
      ? undefined
      : `must be a text of 1 to ${maxLength} characters`;
}

/** The texts that forms send for a ticked box. An unticked box is not sent. */
const TICKED: ReadonlySet<unknown> = new Set(['on', '1', 'true']);

/** `true`, `false`, `null` or absent, or the text that a form sends for a ticked box. */
export const optionalFlag: FieldRule = (value) =>
  value === undefined || value === null || typeof value === 'boolean' || TICKED.has(value)
    ? undefined
    : "must be true or false, or in a form 'on', '1' or 'true'";

/** Whether a value that {@link optionalFlag} has accepted means yes. */
export function isSet(flag: unknown): boolean {
  return flag === true || TICKED.has(flag);
}

/**
 * Checks a body by the rules of its fields, independent of the application's pipes. Keys without a rule are dropped.
 *
 * @throws SessionAuthError `invalid_request` (400), naming the fields but never their values
 */
export class DtoPipe<T extends object> implements PipeTransform<unknown, T> {
  readonly #rules: FieldRules<T>;

  constructor(rules: FieldRules<T>) {
    this.#rules = rules;
  }

  transform(body: unknown): T {
    if (typeof body !== 'object' || body === null || Array.isArray(body)) {
      throw new SessionAuthError(
        'invalid_request',
        'the body must be an object, sent as application/json or by a form',
      );
    }
    const dto: Partial<T> = {};
    const reasons: string[] = [];
    for (const key of Object.keys(this.#rules) as (keyof T & string)[]) {
      // own properties only: `{ "__proto__": … }` must not add fields
      const value: unknown = Object.hasOwn(body, key) ? (body as Record<string, unknown>)[key] : undefined;
      const reason = this.#rules[key](value);
      if (reason !== undefined) reasons.push(`${key} ${reason}`);
      else if (value !== undefined) dto[key] = value as T[keyof T & string];
    }
    if (reasons.length > 0) throw new SessionAuthError('invalid_request', reasons.join('; '));
    return dto as T;
  }
}
