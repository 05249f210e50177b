import { execFile } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { startLocalPostgres, type LocalPostgres } from '../../src/local-services/local-postgres.js';

const run = promisify(execFile);

/** A PostgreSQL server of a test's own that loses nothing in a crash, with the control that its operator has. */
export class PostgresServer {
  private constructor(
    private readonly service: LocalPostgres,
    private readonly folder: string,
    private readonly program: string,
    private readonly owner: { readonly uid: number; readonly gid: number },
  ) {}

  static async launch(): Promise<PostgresServer> {
    const service = await startLocalPostgres();
    const client = new Client({ connectionString: service.url });
    await client.connect();
    // other servers of tests may forget the last moments before a crash
    await client.query('ALTER ROLE postgres SET synchronous_commit = on');
    const { rows } = await client.query<{ data_directory: string }>('SHOW data_directory');
    await client.end();
    const folder = rows[0]!.data_directory;
    // the first word of this file is the server's program
    const [program = ''] = (await readFile(join(folder, 'postmaster.opts'), 'utf8')).split(' ');
    const { uid, gid } = await stat(folder);
    return new PostgresServer(service, folder, join(dirname(program), 'pg_ctl'), { uid, gid });
  }

  get url(): string {
    return this.service.url;
  }

  get port(): number {
    return this.service.port;
  }

  /** @param mode `immediate`: without saying goodbye to anybody, as a crash */
  async stop(mode: 'fast' | 'immediate'): Promise<void> {
    await this.#control('stop', '-m', mode);
  }

  async start(): Promise<void> {
    await this.#control('start', '-l', join(this.folder, 'restarted.log'), '-o', await this.#arguments());
  }

  async restart(): Promise<void> {
    await this.stop('immediate');
    await this.start();
  }

  async close(): Promise<void> {
    // a server that was restarted is not the process that `service` has started
    await this.stop('immediate');
    await this.service.stop();
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
