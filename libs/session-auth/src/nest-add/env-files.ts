import { textOf, write, type ProjectFiles } from './project-files.js';

/** A variable of a file such as `.env`. */
export interface Variable {
  readonly name: string;
  /** For `.env`. */
  readonly value: string;
  /** For `.env.example`, which belongs in the repository. */
  readonly example: string;
  readonly comment: string;
}

/** Returns the value of a variable in a file such as `.env`, or undefined if it is not set or empty. */
export function valueOf(text: string | undefined, name: string): string | undefined {
  const value = lineOf(name)
    .exec(text ?? '')?.[1]
    ?.trim();
  return value === undefined || /^(?:""|'')?$/.test(value) ? undefined : value;
}

/** Adds missing variables to `.env` and `.env.example`. Existing lines do not change. */
export function addVariables(files: ProjectFiles, envFile: string, variables: readonly Variable[]): void {
  for (const [path, kind] of [[envFile, 'value'] as const, ['.env.example', 'example'] as const]) {
    const present = textOf(files, path);
    const text = variables.reduce((result, each) => withVariable(result, each, each[kind]), present ?? '');
    write(files, path, likeBefore(present, text));
  }
}

function withVariable(text: string, { name, comment }: Variable, value: string): string {
  if (valueOf(text, name) !== undefined) return text;
  // present, but empty
  if (lineOf(name).test(text)) return text.replace(lineOf(name), () => `${name}=${value}`);
  const start = text === '' || text.endsWith('\n') ? text : `${text}\n`;
  return `${start}# ${comment}\n${name}=${value}\n`;
}

function lineOf(name: string): RegExp {
  return new RegExp(`^[ \\t]*(?:export[ \\t]+)?${name}[ \\t]*=([^\\r\\n]*)$`, 'm');
}

/** Lets git ignore the file that contains the secret. */
export function ignoreEnvFile(files: ProjectFiles, envFile: string): void {
  const text = textOf(files, '.gitignore') ?? '';
  const patterns = [envFile, '*.env', ...(envFile.startsWith('.env') ? ['.env*'] : [])];
  // the last pattern that matches decides, and one that begins with ! includes the file again
  const matching = text
    .split(/\r?\n/)
    .map((line) => /^(!?)(?:\*\*)?\/?(.*)$/.exec(line.trim())!)
    .filter(([, , pattern]) => patterns.includes(pattern!));
  if (matching.at(-1)?.[1] === '') return;
  const start = text === '' || text.endsWith('\n') ? text : `${text}\n`;
  write(files, '.gitignore', likeBefore(text, `${start}${envFile}\n`));
}

/** Returns the text with the line endings of the file. */
function likeBefore(before: string | undefined, text: string): string {
  return before?.includes('\r\n') ? text.replace(/\r?\n/g, '\r\n') : text;
}
