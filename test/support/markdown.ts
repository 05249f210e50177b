/** The targets of all links and pictures on a page, without those in code. */
export function linksOf(markdown: string): string[] {
  const prose = withoutCode(markdown).replace(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1]!);
}

/** The addresses of the headings on a page, as GitHub and npm make them. */
export function anchorsOf(markdown: string): string[] {
  return [...withoutCode(markdown).matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** A page without its fenced blocks of code. */
export function withoutCode(markdown: string): string {
  return markdown.replace(/^```.*?^```$/gms, '');
}

/** A fenced block of a page. */
export interface Block {
  readonly page: string;
  /** The line of its opening fence, from 1. */
  readonly line: number;
  readonly language: string;
  readonly code: string;
  /** What stands between it and the block after it; undefined for the last one. */
  readonly after?: string;
}

/** The fenced blocks of a page, also those in lists. */
export function blocksOf(page: string, markdown: string): Block[] {
  const found = [...markdown.matchAll(/^( *)```(\S*)[^\n]*\n(.*?)^ *```$/gms)];
  return found.map((match, index) => ({
    page,
    line: markdown.slice(0, match.index).split('\n').length,
    language: match[2]!,
    code: match[3]!.replaceAll(new RegExp(`^${match[1]}`, 'gm'), ''),
    after:
      index + 1 < found.length ? markdown.slice(match.index + match[0].length, found[index + 1]!.index) : undefined,
  }));
}
