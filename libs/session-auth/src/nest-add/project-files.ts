/** The files of a project, as `Tree` of `@angular-devkit/schematics` has them. */
export interface ProjectFiles {
  exists(path: string): boolean;
  read(path: string): Uint8Array | null;
  create(path: string, content: string): void;
  overwrite(path: string, content: string): void;
}

/** The text of a file; undefined where there is none. */
export function textOf(files: ProjectFiles, path: string): string | undefined {
  const bytes = files.exists(path) ? files.read(path) : null;
  return bytes === null ? undefined : Buffer.from(bytes).toString('utf8');
}

/** Writes a file, whether it exists or not; one with the same text is left alone. */
export function write(files: ProjectFiles, path: string, text: string): void {
  const present = textOf(files, path);
  if (present === undefined) files.create(path, text);
  else if (present !== text) files.overwrite(path, text);
}

/** A file of JSON. @throws Error where it is none */
export function jsonOf<T extends object>(files: ProjectFiles, path: string): T | undefined {
  const text = textOf(files, path);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    throw new Error(`${path} is not JSON: ${String(error)}`, { cause: error });
  }
}

/** Writes a file of JSON with the indentation that it had. */
export function writeJson(files: ProjectFiles, path: string, value: object): void {
  const present = textOf(files, path) ?? '';
  const indent = /^[\t ]+(?=")/m.exec(present)?.[0] ?? '  ';
  write(files, path, `${JSON.stringify(value, undefined, indent)}\n`);
}
