import { beginGeneration, type GenerationKind } from '../postgres/generation-clauses.js';
import type { StoredKeys } from '../postgres/stored-keys.js';
import { sql, type SqlText } from './sql-text.js';

/** The parts of statements on the rows of a realm that may have ended all at once: see those of PostgreSQL. */
export interface GenerationClauses {
  /** The present generation, which a new row gets. */
  readonly present: SqlText;
  /** The condition that a row has not ended with its realm. */
  readonly isPresent: SqlText;
  /** Returns the statement that ends all rows, or those created before a time. */
  begin(createdBefore: number | undefined): SqlText;
}

/** @param table that of the generations */
export function generationClauses(table: SqlText, keys: StoredKeys, kind: GenerationKind): GenerationClauses {
  const name = `${keys.prefix}${kind}`;
  const present = sql`COALESCE((SELECT g.generation FROM ${table} g WHERE g.name = ${name}), 0)`;
  const endedBefore = sql`(SELECT g.ended_before FROM ${table} g WHERE g.name = ${name})`;
  return {
    present,
    isPresent: sql`(generation = ${present} AND COALESCE(created_at >= ${endedBefore}, TRUE))`,
    begin: (createdBefore) => {
      const [generation, before] = beginGeneration(createdBefore);
      const change =
        generation === null
          ? sql`ended_before = GREATEST(COALESCE(ended_before, ${before}), ${before})`
          : sql`generation = ${generation}`;
      return sql`INSERT INTO ${table} (name, generation, ended_before) VALUES (${name}, ${generation ?? 0}, ${before})
        ON DUPLICATE KEY UPDATE ${change}`;
    },
  };
}
