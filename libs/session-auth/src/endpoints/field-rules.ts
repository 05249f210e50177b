/** What a field must be, in words, for a value that is not; undefined for one that is. */
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

/** `true`, `false`, `null` or nothing. */
export const optionalFlag: FieldRule = (value) =>
  value === undefined || value === null || typeof value === 'boolean' ? undefined : 'must be true or false';
