import { BASE_LETTERS } from './base-letters.js';

/** A pass changes what the one before has brought out, such as the `ss` of a capital sharp s. Real names take two. */
const MAX_PASSES = 10;

/** Marks, control and private characters, blanks, and what is drawn as nothing or as a blank. */
const INVISIBLE = /[\p{M}\p{C}\p{Z}\s\p{Default_Ignorable_Code_Point}\u2800]/gu;
const FOREIGN_DIGIT = /(?![0-9])\p{Nd}/gu;
const NON_ASCII = /[^\0-\x7f]/gu;
const DIGIT = /^\p{Nd}$/u;

/**
 * A login name as the throttle counts it: spellings that a database or mail server takes for the same account are one,
 * so that none of them gives extra tries. Case, blanks, accents, strokes, ligatures, compatibility forms, digits of other
 * scripts and invisible characters make no difference. Folding what is folded changes nothing.
 *
 * Two accounts may share a count; so nothing that forgives or trusts goes by it.
 */
export function foldLoginName(name: string): string {
  let folded = name;
  for (let pass = 0; pass < MAX_PASSES; pass += 1) {
    const before = folded;
    folded = foldOnce(before);
    if (folded === before) break;
  }
  return folded;
}

function foldOnce(name: string): string {
  return (
    name
      .normalize('NFKD')
      // twice: a final sigma becomes a sigma. Before marks go: the capital of an iota below a letter is a letter
      .toUpperCase()
      .toLowerCase()
      .normalize('NFKD')
      .replace(INVISIBLE, '')
      .replace(FOREIGN_DIGIT, valueOfDigit)
      .replace(NON_ASCII, (letter) => BASE_LETTERS.get(letter) ?? letter)
      .normalize('NFKC')
  );
}

/** Decimal digits come in rows from 0 to 9 (Unicode 4.6), some of them one right after the other. */
function valueOfDigit(digit: string): string {
  const code = digit.codePointAt(0)!;
  let zero = code;
  while (DIGIT.test(String.fromCodePoint(zero - 1))) zero -= 1;
  return String((code - zero) % 10);
}
