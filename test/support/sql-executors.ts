import type { SqlExecutor, SqlResult } from 'nestjs-session-auth/postgres';
import { questionMarks } from 'nestjs-session-auth/postgres';
import type { CustomTypesConfig, Pool, PoolClient } from 'pg';

/** What an ORM makes of statements, rows and errors on their way. */
export interface ExecutorHabits {
  readonly types?: CustomTypesConfig;
  readonly statement?: (text: string, values: readonly unknown[]) => { text: string; values: unknown[] };
  readonly row?: (row: Record<string, unknown>) => Record<string, unknown>;
  readonly error?: (error: unknown) => unknown;
  /** How a transaction begins. */
  readonly begin?: string;
}

const JSON_TYPES = [114, 3802];
const INT8 = 20;
const TIMESTAMPS = [1114, 1184];

const typesOf = (parse: (oid: number, text: string) => unknown): CustomTypesConfig => ({
  getTypeParser: (oid: number) => (text: string) => parse(oid, text),
});

/** The habits of executors, each as far from the others as the ORMs are. */
export const HABITS = {
  'that knows question marks only, renames columns, parses texts, and wraps errors': {
    statement: (text, values) => numberedAnew(questionMarks(text, values)),
    row: (row) =>
      Object.fromEntries(Object.entries(row).map(([name, value]) => [toCamelCase(name), parsedIfJson(value)])),
    error: (error) => new Error('the query failed', { cause: error }),
  },
  'that makes BigInt, Date and objects of what it gets, and wraps errors in meta': {
    types: typesOf((oid, text) => {
      if (oid === INT8) return BigInt(text);
      if (TIMESTAMPS.includes(oid)) return new Date(text);
      if (oid === 16) return text === 't';
      return JSON_TYPES.includes(oid) ? (JSON.parse(text) as unknown) : text;
    }),
    error: (error) => {
      const { code: originalCode, message } = error as { code?: string; message: string };
      const meta = { driverAdapterError: { cause: { kind: 'postgres', originalCode } } };
      return originalCode === undefined ? error : Object.assign(new Error(message), { code: 'P2010', meta });
    },
    begin: 'BEGIN ISOLATION LEVEL SERIALIZABLE',
  },
} as const satisfies Record<string, ExecutorHabits>;

/** An executor on a pool of `pg`, with the habits of an ORM. */
export function executorOn(pool: Pool, habits: ExecutorHabits = {}): SqlExecutor {
  return {
    query: (text, values) => send(pool, habits, text, values),
    transaction: async (work) => {
      const client = await pool.connect();
      let broken: Error | undefined;
      try {
        await client.query(habits.begin ?? 'BEGIN');
        const outcome = await work(within(client, habits));
        await client.query('COMMIT');
        return outcome;
      } catch (error) {
        await client.query('ROLLBACK').catch((failure: Error) => (broken = failure));
        throw error;
      } finally {
        client.release(broken);
      }
    },
  };
}

function within(client: PoolClient, habits: ExecutorHabits): SqlExecutor {
  const transaction: SqlExecutor = {
    query: (text, values) => send(client, habits, text, values),
    transaction: (work) => work(transaction),
  };
  return transaction;
}

async function send(
  on: Pool | PoolClient,
  { types, statement, row, error: wrapped }: ExecutorHabits,
  text: string,
  values: readonly unknown[],
): Promise<SqlResult> {
  const sent = statement === undefined ? { text, values: [...values] } : statement(text, values);
  try {
    const { rows, fields } = await on.query<Record<string, unknown>>({ ...sent, types });
    // Prisma fails on this type
    if (fields.some(({ dataTypeID }) => dataTypeID === VOID)) throw new Error(`a column of type void: ${text}`);
    return { rows: row === undefined ? rows : rows.map(row) };
  } catch (error) {
    throw wrapped === undefined ? error : wrapped(error);
  }
}

const VOID = 2278;

/** As Knex does it: each `?` becomes a parameter of its own. */
function numberedAnew({ text, values }: { text: string; values: unknown[] }): { text: string; values: unknown[] } {
  let number = 0;
  const numbered = text.replace(/\\\?|\?/g, (mark) => (mark === '?' ? `$${(number += 1)}` : '?'));
  return { text: numbered, values };
}

function toCamelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function parsedIfJson(value: unknown): unknown {
  return typeof value === 'string' && /^[[{]/.test(value) ? (tryParse(value) ?? value) : value;
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
