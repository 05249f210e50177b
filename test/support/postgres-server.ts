import { execFile } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Control over a running PostgreSQL server of the tests, as its operator has it. */
export class PostgresServer {
  private constructor(
    private readonly folder: string,
    private readonly program: string,
    private readonly owner: { readonly uid: number; readonly gid: number },
  ) {}

  /** @param folder its data directory */
  static async at(folder: string): Promise<PostgresServer> {
    // the first word of this file is the server's program
    const [server = ''] = (await readFile(join(folder, 'postmaster.opts'), 'utf8')).split(' ');
    const { uid, gid } = await stat(folder);
    return new PostgresServer(folder, join(dirname(server), 'pg_ctl'), { uid, gid });
  }

  /** @param mode `immediate`: without saying goodbye to anybody, as a crash */
  async stop(mode: 'fast' | 'immediate'): Promise<void> {
    await this.#control('stop', '-m', mode);
  }

  async start(): Promise<void> {
    await this.#control('start', '-l', join(this.folder, 'restarted.log'), '-o', await this.#arguments());
  }

  async #arguments(): Promise<string> {
    const options = await readFile(join(this.folder, 'postmaster.opts'), 'utf8');
    this.#given ??= options.trim().slice(options.indexOf(' '));
    return this.#given;
  }

  #given: string | undefined;

  async #control(...args: string[]): Promise<void> {
    await run(this.program, ['-D', this.folder, '-w', ...args], this.owner);
  }
}
