/** A secret that a text must not give away. */
export interface Secret {
  /** What it is, for the message of a failing test. */
  readonly name: string;
  readonly bytes: Buffer;
}

/** The secret that a text of base64url stands for. */
export function secretOf(name: string, text: string): Secret {
  return { name, bytes: Buffer.from(text, 'base64url') };
}

/**
 * The secrets that texts give away, each as `name (form)`: as bytes or as their base64url, these in clear, in
 * hexadecimal, in base64 at any offset, as a list of numbers, and backwards. Half of a form counts as the whole, where
 * it is so long that no other text has it by chance.
 */
export function leaksIn(texts: readonly string[], secrets: readonly Secret[]): string[] {
  const everything = texts.join('\n');
  const lowerCase = everything.toLowerCase();
  // base64 with its own alphabet, escaped or not, reads as base64url
  const urlSafe = everything
    .replace(/%2B/gi, '-')
    .replace(/%2F|\\?\//gi, '_')
    .replaceAll('+', '-');
  const numbers = everything.replace(/\s+/g, '');
  const leaks = new Set<string>();
  for (const { name, bytes } of secrets) {
    for (const [form, whole, text] of formsOf(bytes, { everything, lowerCase, urlSafe, numbers })) {
      if (halvesOf(whole).some((half) => text.includes(half))) leaks.add(`${name} (${form})`);
    }
  }
  return [...leaks];
}

type Haystacks = Readonly<Record<'everything' | 'lowerCase' | 'urlSafe' | 'numbers', string>>;

/** Each form of a secret, and the text to look for it in. */
function formsOf(bytes: Buffer, texts: Haystacks): (readonly [form: string, whole: string, text: string])[] {
  const ascii = Buffer.from(bytes.toString('base64url'));
  return [bytes, ascii].flatMap((buffer) =>
    [buffer, Buffer.from(buffer).reverse()].flatMap((each) => [
      ['in clear', each.toString('latin1'), texts.urlSafe] as const,
      ['in clear', each.toString('latin1'), texts.everything] as const,
      ['in lower case', each.toString('latin1').toLowerCase(), texts.lowerCase] as const,
      ['as hexadecimal', each.toString('hex'), texts.lowerCase] as const,
      ['as hexadecimal backwards', backwards(each.toString('hex')), texts.lowerCase] as const,
      ['as numbers', each.join(','), texts.numbers] as const,
      ...[0, 1, 2].flatMap((offset) => {
        const encoded = base64At(each, offset);
        return [
          ['as base64', encoded, texts.urlSafe] as const,
          ['as base64 backwards', backwards(encoded), texts.urlSafe] as const,
        ];
      }),
    ]),
  );
}

/** What of base64url is the same whatever stands before and after the bytes, when they begin at an offset of three. */
function base64At(bytes: Buffer, offset: number): string {
  const encoded = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64url');
  return encoded.slice(offset === 0 ? 0 : offset + 1, -1);
}

/**
 * Texts of so many characters agree by chance once in a million runs: 48 bits, against thousands of places to look at.
 */
const TELLING_LENGTH = 8;

/**
 * The first, the last and the middle half: who has one of them has only the other to guess. A short text as a whole.
 */
function halvesOf(whole: string): string[] {
  const length = Math.floor(whole.length / 2);
  if (length < TELLING_LENGTH) return [whole];
  return [0, whole.length - length, Math.floor(length / 2)].map((start) => whole.slice(start, start + length));
}

function backwards(text: string): string {
  return [...text].reverse().join('');
}
