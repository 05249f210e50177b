import { BASE_LETTERS } from './base-letters.js';

/** A pass may change the result of the pass before, such as the `ss` of a capital sharp s. Real names need two. */
const MAX_PASSES = 10;

/** Marks, control and private characters, blanks, and characters that are drawn as nothing or as a blank. */
const INVISIBLE = /[\p{M}\p{C}\p{Z}\s\p{Default_Ignorable_Code_Point}\u2800]/gu;
const FOREIGN_DIGIT = /(?![0-9])\p{Nd}/gu;
const NON_ASCII = /[^\0-\x7f]/gu;
const DIGIT = /^\p{Nd}$/u;

/**
 * Returns a login name as the throttle counts it. Spellings that a database or mail server maps to the same account
 * become equal, so that none of them gives extra tries. Case, blanks, accents, strokes, ligatures, compatibility forms,
 * digits of other scripts and invisible characters make no difference. Folding a folded name changes nothing.
 *
 * Two accounts may share a count, so nothing that clears counts or grants trust uses this name.
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
      // twice: a final sigma becomes a sigma. Before marks are removed: the capital of an iota below a letter is a
      // letter
      .toUpperCase()
      .toLowerCase()
      .normalize('NFKD')
      .replace(INVISIBLE, '')
      .replace(FOREIGN_DIGIT, valueOfDigit)
      .replace(NON_ASCII, (letter) => BASE_LETTERS.get(letter) ?? letter)
      .normalize('NFKC')
  );
}

/** Decimal digits come in rows from 0 to 9 (Unicode 4.6), some of them directly adjacent. */
function valueOfDigit(digit: string): string {
  const code = digit.codePointAt(0)!;
  let zero = code;
  while (DIGIT.test(String.fromCodePoint(zero - 1))) zero -= 1;
  return String((code - zero) % 10);
}
