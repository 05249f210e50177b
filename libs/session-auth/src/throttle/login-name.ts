/**
 * A login name as the throttle counts it: all spellings that some database or mail server takes for the same account
 * are one, so that none of them gives extra tries. Case, blanks, accents, compatibility forms and invisible characters
 * go. Two accounts may share a count; one account never has two.
 */
export function foldLoginName(name: string): string {
  return (
    name
      .normalize('NFKD')
      .replace(/[\p{M}\p{C}\p{Z}\s]/gu, '')
      // twice: ß becomes ss, a final sigma a sigma, a dotless i an i
      .toUpperCase()
      .toLowerCase()
      .normalize('NFKC')
  );
}
