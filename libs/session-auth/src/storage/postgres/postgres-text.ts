/*
 * PostgreSQL's text cannot hold U+0000, and the driver replaces a lone surrogate. A user agent or a user id with either
 * must neither fail nor become equal to another one. So these characters, and the one that marks them, are stored as
 * U+001A (the control character "substitute") and four hexadecimal digits. All other text is stored as it is.
 */
const MARK = '\u001a';
const UNSTORABLE = new RegExp(`[\\0${MARK}\\p{Surrogate}]`, 'gu');
const MARKED = new RegExp(`${MARK}([0-9a-f]{4})`, 'g');

/** Returns the stored form of a text. Different texts have different stored forms. */
export function encodeText(text: string): string {
  return text.replace(UNSTORABLE, (character) => MARK + character.charCodeAt(0).toString(16).padStart(4, '0'));
}

/** Returns the text that {@link encodeText} was given. */
export function decodeText(stored: string): string {
  if (!stored.includes(MARK)) return stored;
  return stored.replace(MARKED, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}

/** {@link encodeText} for a text that may be missing. */
export function textOrNull(text: string | undefined): string | null {
  return text === undefined ? null : encodeText(text);
}

/** {@link decodeText} for a text that may be missing. */
export function decodeOptional(stored: string | null | undefined): string | undefined {
  return stored == null ? undefined : decodeText(stored);
}
