import { randomInt } from 'node:crypto';
import { GENERATION_TABLE } from './generation-tables.js';
import { statement, type PostgresStatement } from './postgres-statement.js';
import { qualifiedName } from './sql-identifier.js';
import type { StoredKeys } from './stored-keys.js';

/** What has a generation. */
export type GenerationKind = 'sessions' | 'devices';

/** Numbers of this size are unique, and exact in JavaScript. */
const GENERATIONS = 2 ** 47;

/**
 * Returns the values of {@link GenerationClauses.begin}: a new generation, or the time before which all rows end.
 *
 * A random number, which a retried statement repeats. A counter that is lost would give numbers that rows may have.
 */
export function beginGeneration(
  createdBefore: number | undefined,
): readonly [generation: number | null, before: number | null] {
  return createdBefore === undefined ? [randomInt(1, GENERATIONS), null] : [null, createdBefore];
}

/** The clauses of statements on the rows of a realm that may have ended all at once. */
export interface GenerationClauses {
  /** The present generation, which a new row gets. */
  readonly present: string;
  /**
   * The condition that a row has not ended with its realm. @param row the alias of the table
   */
  readonly isPresent: (row: string) => string;
  /**
   * $1 the new generation (null: unchanged), $2 the time before which all rows have ended (null: unchanged).
   *
   * @param returning further columns, each after a comma
   */
  begin(returning?: string): PostgresStatement;
}

/**
 * A row has the generation that was present when it was added, a random number. It is absent if another generation is
 * present, or if it was created before the time of its realm (docs/decisions/0042-generations.md).
 *
 * A statement reads the present generation as of its beginning, together with the rows. So a row that is added while a
 * generation begins has the generation before it, and is absent, or the new one. No statement changes it afterwards:
 * whatever it changes in a row that has ended stays without effect.
 */
export function generationClauses(
  schema: string | undefined,
  keys: StoredKeys,
  kind: GenerationKind,
): GenerationClauses {
  const table = qualifiedName(schema, GENERATION_TABLE);
  // a prefix has only letters that are safe in the text of a statement
  const name = `'${keys.prefix}${kind}'`;
  const read = (column: string): string => `(SELECT g.${column} FROM ${table} g WHERE g.name = ${name})`;
  const present = `coalesce(${read('generation')}, 0)`;
  return {
    present,
    isPresent: (row) =>
      `(${row}.generation = ${present} AND coalesce(${row}.created_at >= ${read('ended_before')}, true))`,
    begin: (returning = '') =>
      statement(
        `
INSERT INTO ${table} AS g (name, generation, ended_before) VALUES (${name}, coalesce($1::bigint, 0), $2::bigint)
ON CONFLICT (name) DO UPDATE SET
  generation = coalesce($1::bigint, g.generation), ended_before = greatest(g.ended_before, $2::bigint)
RETURNING g.name${returning}`,
        ['name'],
      ),
  };
}
