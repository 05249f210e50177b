import { beginGeneration, type GenerationKind } from '../postgres/generation-clauses.js';
import type { StoredKeys } from '../postgres/stored-keys.js';
import type { SqliteConnection } from './sqlite-handle.js';

/** The parts of statements on the rows of a realm that may have ended all at once: see those of PostgreSQL. */
export interface GenerationClauses {
  /** The present generation, which a new row gets. */
  readonly present: string;
  /** The condition that a row has not ended with its realm. */
  readonly isPresent: string;
  /** Ends all rows, or those created before a time. */
  begin(connection: SqliteConnection, createdBefore: number | undefined): void;
}

export function generationClauses(keys: StoredKeys, kind: GenerationKind): GenerationClauses {
  // a prefix has only letters that are safe in the text of a statement
  const name = `'${keys.prefix}${kind}'`;
  const read = (column: string): string => `(SELECT g.${column} FROM session_auth_generation g WHERE g.name = ${name})`;
  const present = `coalesce(${read('generation')}, 0)`;
  return {
    present,
    isPresent: `(generation = ${present} AND created_at >= coalesce(${read('ended_before')}, created_at))`,
    begin: ({ run }, createdBefore) => {
      const [generation, before] = beginGeneration(createdBefore);
      run(
        `INSERT INTO session_auth_generation (name, generation, ended_before) VALUES (${name}, coalesce(?, 0), ?)
        ON CONFLICT (name) DO UPDATE SET generation = coalesce(?, generation),
          ended_before = coalesce(max(ended_before, excluded.ended_before), ended_before, excluded.ended_before)`,
        generation,
        before,
        generation,
      );
    },
  };
}
