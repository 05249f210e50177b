/** The files of a project, as `Tree` of `@angular-devkit/schematics` has them. */
export interface ProjectFiles {
  exists(path: string): boolean;
  read(path: string): Uint8Array | null;
  create(path: string, content: string): void;
  overwrite(path: string, content: string): void;
}

/** Returns the text of a file, or undefined if the file does not exist. */
export function textOf(files: ProjectFiles, path: string): string | undefined {
  const bytes = files.exists(path) ? files.read(path) : null;
  return bytes === null ? undefined : Buffer.from(bytes).toString('utf8');
}

/** Creates or overwrites a file. A file with the same text is not written. */
export function write(files: ProjectFiles, path: string, text: string): void {
  const present = textOf(files, path);
  if (present === undefined) files.create(path, text);
  else if (present !== text) files.overwrite(path, text);
}

/** Returns the content of a JSON file. @throws Error if it is not JSON */
export function jsonOf<T extends object>(files: ProjectFiles, path: string): T | undefined {
  const text = textOf(files, path);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    throw new Error(`${path} is not JSON: ${String(error)}`, { cause: error });
  }
}

/** Writes a JSON file and keeps its indentation. */
export function writeJson(files: ProjectFiles, path: string, value: object): void {
  const present = textOf(files, path) ?? '';
  const indent = /^[\t ]+(?=")/m.exec(present)?.[0] ?? '  ';
  write(files, path, `${JSON.stringify(value, undefined, indent)}\n`);
}
