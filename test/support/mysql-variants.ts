import { afterAll, beforeAll, describe } from '@jest/globals';
import type { Pool, PoolOptions } from 'mysql2/promise';
import { createMysqlDatabase, type MysqlTestDatabase } from './mysql-database.js';

/** A store of one application node on MariaDB, and the same on another node. */
export interface MysqlNodes {
  /** The pool of node 0 or 1, once the tests run. */
  readonly pool: (node: 0 | 1) => Pool;
  readonly database: () => MysqlTestDatabase;
}

interface Variant {
  readonly way: string;
  readonly options: PoolOptions;
  /** What a new connection is set to. */
  readonly session: readonly string[];
}

const LENIENT = "SET SESSION sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT,IGNORE_SPACE'";

const VARIANTS: readonly Variant[] = [
  { way: '', options: {}, session: [] },
  {
    way: ' that reads what is not committed, without strict mode, with other options of the driver',
    options: {
      namedPlaceholders: true,
      rowsAsArray: false,
      dateStrings: true,
      supportBigNumbers: true,
      bigNumberStrings: true,
      timezone: '-03:00',
      charset: 'latin1',
      flags: ['-FOUND_ROWS'],
      typeCast: () => 'cast',
    },
    session: ['SET SESSION TRANSACTION ISOLATION LEVEL READ UNCOMMITTED', LENIENT],
  },
  {
    way: ' that isolates strictly',
    options: {},
    session: [
      'SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE',
      "SET SESSION sql_mode = CONCAT(@@sql_mode, ',SIMULTANEOUS_ASSIGNMENT')",
    ],
  },
];

/**
 * Declares tests of a store for each way in which MariaDB and a pool may be set up, on a database that two nodes share.
 *
 * @param store what the tests are listed under
 */
export function describeOnMysql(store: string, declare: (name: string, nodes: MysqlNodes) => void): void {
  describe.each(VARIANTS.map((variant) => ({ name: `${store}${variant.way}`, ...variant })))(
    '$name',
    ({ name, options, session }) => {
      let database: MysqlTestDatabase;
      let pools: Pool[];

      beforeAll(async () => {
        database = await createMysqlDatabase();
        pools = [database.open(options), database.open(options)];
        for (const pool of pools) setUp(pool, session);
      });

      afterAll(() => database.close());

      declare(name, { pool: (node) => pools[node]!, database: () => database });
    },
  );
}

/** Runs statements on each new connection of a pool, before anything else does. */
export function setUp(pool: Pool, statements: readonly string[]): void {
  pool.on('connection', (connection) => {
    // the driver hands out its own connection here, which runs commands in the order in which it is given them
    const { query } = connection as unknown as { query: (sql: string, done: (error: unknown) => void) => void };
    for (const statement of statements) {
      query.call(connection, statement, (error) => {
        if (error) throw error as Error;
      });
    }
  });
}
