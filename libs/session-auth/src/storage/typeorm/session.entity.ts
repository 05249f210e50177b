import { EntitySchema } from 'typeorm';
import type { SessionAuthentication } from '../../users/session-authentication.js';
import { SESSION_INDEXES, SESSION_TABLE } from '../postgres/session-tables.js';
import { TEXT, TIME } from './column-transformers.js';

/**
 * A row of the table of sessions, as an application reads it through TypeORM. Times are milliseconds since the epoch.
 */
export interface SessionRow {
  /** The public handle. */
  readonly handle: string;
  readonly digest: string;
  /** null for an anonymous session. */
  readonly userId: string | null;
  readonly email: string | null;
  readonly roles: readonly string[];
  readonly createdAt: number;
  readonly authenticatedAt: number | null;
  readonly authentication: SessionAuthentication | null;
  readonly rotatedAt: number;
  readonly lastActivityAt: number;
  /** After this time the row is no session any more, even if no sweep has removed it yet. */
  readonly expiresAt: number;
  readonly absoluteExpiresAt: number;
  readonly ip: string | null;
  readonly userAgent: string | null;
  readonly fingerprint: string | null;
  readonly data: Record<string, unknown>;
  /** When each further factor was proved, by the factor's name. null or empty for none. */
  readonly factors: Readonly<Record<string, number>> | null;
  /** Keyed digest of the identity provider's session. null or empty for none. */
  readonly upstream: string | null;
  /** From when on a sweep looks at the row. */
  readonly sweepAt: number;
}

/**
 * The entity of the table of sessions, for an application that wants to read it (`getRepository(SessionEntity)`) or
 * lets TypeORM compare its entities with the database. The store does not need it.
 *
 * Read only: change sessions through the services, which check and publish what they do.
 */
export const SessionEntity = createSessionEntity();

/** {@link SessionEntity} for a table in a schema of its own. */
export function createSessionEntity({ schema }: { readonly schema?: string } = {}): EntitySchema<SessionRow> {
  return new EntitySchema<SessionRow>({
    name: 'SessionEntity',
    tableName: SESSION_TABLE,
    schema,
    columns: {
      handle: { type: 'text', collation: 'C', primary: true, primaryKeyConstraintName: SESSION_INDEXES.handle },
      digest: { type: 'text', collation: 'C' },
      userId: { name: 'user_id', type: 'text', collation: 'C', nullable: true, transformer: TEXT },
      email: { type: 'text', nullable: true, transformer: TEXT },
      roles: { type: 'json' },
      createdAt: { name: 'created_at', type: 'bigint', transformer: TIME },
      authenticatedAt: { name: 'authenticated_at', type: 'bigint', nullable: true, transformer: TIME },
      authentication: { type: 'text', nullable: true },
      rotatedAt: { name: 'rotated_at', type: 'bigint', transformer: TIME },
      lastActivityAt: { name: 'last_activity_at', type: 'bigint', transformer: TIME },
      expiresAt: { name: 'expires_at', type: 'bigint', transformer: TIME },
      absoluteExpiresAt: { name: 'absolute_expires_at', type: 'bigint', transformer: TIME },
      ip: { type: 'text', nullable: true, transformer: TEXT },
      userAgent: { name: 'user_agent', type: 'text', nullable: true, transformer: TEXT },
      fingerprint: { type: 'text', nullable: true },
      data: { type: 'json' },
      factors: { type: 'json', nullable: true },
      upstream: { type: 'text', nullable: true },
      sweepAt: { name: 'sweep_at', type: 'bigint', transformer: TIME },
    },
    indices: [
      { name: SESSION_INDEXES.digest, columns: ['digest'], unique: true },
      { name: SESSION_INDEXES.user, columns: ['userId', 'createdAt', 'handle'] },
      { name: SESSION_INDEXES.sweep, columns: ['sweepAt'] },
    ],
  });
}
