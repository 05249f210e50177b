import { Session, type Profiler } from 'node:inspector/promises';

/**
 * The named functions of the library that run for one request, by file. Files are sorted, and functions are in the
 * order of the source.
 */
export type Path = ReadonlyMap<string, readonly string[]>;

/** A function by its place: names repeat, such as those of constructors and of field initialisers. */
interface Executed {
  readonly file: string;
  readonly name: string;
  readonly from: number;
}

const MEASURED_REQUESTS = 9;

/** Counts what this process executes of the JavaScript files below a folder. */
export class Coverage {
  readonly #session = new Session();

  private constructor(private readonly root: string) {}

  static async start(root: URL): Promise<Coverage> {
    const coverage = new Coverage(root.href);
    coverage.#session.connect();
    await coverage.#session.post('Profiler.enable');
    // Counts of calls keep V8 from optimising, so that it counts a function inlined into another one too. Counts of
    // blocks (`detailed: true`) do not: half of what runs would be missing as soon as the code is hot.
    await coverage.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
    return coverage;
  }

  /**
   * What one request executes when the process is warm. Taken of several requests in a row, each by itself, and only
   * what all of them execute: a timer that fires meanwhile belongs to none of them.
   *
   * @param prepare what each request needs first; it is not counted
   */
  async pathOf(request: () => Promise<unknown>, warmUp: number, prepare?: () => Promise<void>): Promise<Path> {
    for (let i = 0; i < warmUp; i++) {
      await prepare?.();
      await request();
    }
    const samples: Profiler.ScriptCoverage[][] = [];
    for (let i = 0; i < MEASURED_REQUESTS; i++) {
      await prepare?.();
      await this.#take();
      await request();
      samples.push(await this.#take());
    }
    return commonPath(samples, this.root);
  }

  stop(): void {
    this.#session.disconnect();
  }

  /** Counts since the last time. */
  async #take(): Promise<Profiler.ScriptCoverage[]> {
    return (await this.#session.post('Profiler.takePreciseCoverage')).result;
  }
}

/** The files and named functions below `root` that every sample has executed. */
export function commonPath(samples: readonly (readonly Profiler.ScriptCoverage[])[], root: string): Path {
  const [first = new Map<string, Executed>(), ...others] = samples.map((sample) => executedOf(sample, root));
  const path = new Map<string, string[]>();
  for (const [place, { file, name }] of [...first].sort(([, a], [, b]) => inSource(a, b))) {
    if (!others.every((other) => other.has(place))) continue;
    const names = path.get(file) ?? [];
    path.set(file, names);
    if (name !== '') names.push(name);
  }
  return path;
}

/**
 * A file counts when any function of it runs, the anonymous ones included. A function counts when V8 has a name for it:
 * functions, methods, getters, constructors, field initialisers of a class, arrow functions assigned to a name. An
 * anonymous callback does not, nor does a file's own top level.
 */
function executedOf(scripts: readonly Profiler.ScriptCoverage[], root: string): Map<string, Executed> {
  const executed = new Map<string, Executed>();
  for (const { url, functions } of scripts) {
    if (!url.startsWith(root)) continue;
    const file = url.slice(root.length);
    for (const { functionName, ranges } of functions) {
      const { startOffset: from, endOffset, count } = ranges[0]!;
      if (count > 0) executed.set(`${file} ${from} ${endOffset}`, { file, name: functionName, from });
    }
  }
  return executed;
}

function inSource(a: Executed, b: Executed): number {
  return a.file === b.file ? a.from - b.from : a.file < b.file ? -1 : 1;
}

/** One line of the report, such as `guarded GET: 27 files, 92 functions`. */
export function lineOf(request: string, path: Path): string {
  const functions = [...path.values()].reduce((sum, names) => sum + names.length, 0);
  return `${request}: ${path.size} files, ${functions} functions`;
}
