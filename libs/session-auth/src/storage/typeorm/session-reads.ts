import { Batcher } from '../../async/batcher.js';
import { READ_STEP, type FindStatements } from './find-statements.js';
import { sqlStateOf, type PostgresConnections } from './postgres-connections.js';

/**
 * Reads sessions as they are. Those that are asked for in one turn of the event loop share a statement: under load it is
 * the round trip that costs, here and in the server, and not the row.
 */
export class SessionReads {
  readonly #batcher = new Batcher<Read>((reads) => this.#send(reads));

  constructor(
    private readonly connections: PostgresConnections,
    private readonly sql: Pick<FindStatements, 'read' | 'readMany'>,
  ) {}

  /** The row of a stored digest as the text of a JSON array; undefined where there is none. */
  find(digest: string): Promise<string | undefined> {
    return new Promise((resolve, reject) => this.#batcher.add({ digest, resolve, reject }));
  }

  #send(reads: readonly Read[]): void {
    for (let at = 0; at < reads.length; at += READ_STEP) void this.#readMany(reads.slice(at, at + READ_STEP));
  }

  async #readMany(reads: readonly Read[]): Promise<void> {
    if (reads.length === 1) return this.#readOne(reads[0]!);
    const digests = Array.from({ length: READ_STEP }, (_, index) => reads[index]?.digest ?? null);
    try {
      const rows = await this.connections.run(this.sql.readMany, digests);
      const found = new Map(rows.map(([digest, row]) => [digest, row]));
      for (const { digest, resolve } of reads) resolve(found.get(digest) ?? undefined);
    } catch (error) {
      // what the server cannot read fails the one who asked for it, and nobody who asked at the same time
      if (sqlStateOf(error) !== undefined) for (const read of reads) void this.#readOne(read);
      else for (const { reject } of reads) reject(error);
    }
  }

  async #readOne({ digest, resolve, reject }: Read): Promise<void> {
    try {
      const [row] = await this.connections.run(this.sql.read, [digest]);
      resolve(row?.[0] ?? undefined);
    } catch (error) {
      reject(error);
    }
  }
}

interface Read {
  readonly digest: string;
  readonly resolve: (row: string | undefined) => void;
  readonly reject: (error: unknown) => void;
}
