import { EntitySchema } from 'typeorm';
import type { OtherToken } from '../../session/session-tokens.js';
import type { SessionAuthentication } from '../../users/session-authentication.js';
import { SESSION_INDEXES, SESSION_TABLE } from '../postgres/session-tables.js';
import { TEXT, NUMBER } from './column-transformers.js';

/**
 * A row of the table of sessions, as an application reads it through TypeORM. Times are milliseconds since the epoch.
 */
export interface SessionRow {
  /** The public handle. */
  readonly handle: string;
  /** The digest of the present token. */
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
  /** After this time the session has ended, even if no sweep has removed the row yet. */
  readonly expiresAt: number;
  readonly absoluteExpiresAt: number;
  readonly ip: string | null;
  readonly userAgent: string | null;
  readonly fingerprint: string | null;
  readonly data: Record<string, unknown>;
  /** When each further factor was proved, by the factor's name. null or empty: no factors. */
  readonly factors: Readonly<Record<string, number>> | null;
  /** Keyed digest of the identity provider's session. null or empty: no such session. */
  readonly upstream: string | null;
  /** The time from which a sweep checks the row. */
  readonly sweepAt: number;
  /** The other recent tokens of the session. null or empty: no tokens. */
  readonly tokens: readonly OtherToken[] | null;
  /** Earlier roles of the session, as long as a token from that time is honoured. null or empty: no roles. */
  readonly formerRoles: readonly (readonly string[])[] | null;
  /** How many of `formerRoles` are older than the present token. null: 0. */
  readonly rolesSince: number | null;
  /** How often tokens, roles or e-mail have changed. */
  readonly revision: number;
  /** Keyed digest of the device that logged in, if known. */
  readonly device: string | null;
  /** The version of the row's record. */
  readonly recordVersion: number;
  /** The generation of its realm in which the session was created: with another one than the present, it has ended. */
  readonly generation: number;
}

/**
 * The entity of the table of sessions, for an application that reads it (`getRepository(SessionEntity)`) or lets
 * TypeORM compare its entities with the database. The store does not need it.
 *
 * Read only: change sessions through the services, which check and publish their changes.
 */
export const SessionEntity = createSessionEntity();

/** {@link SessionEntity} for a table in another schema. */
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
      createdAt: { name: 'created_at', type: 'bigint', transformer: NUMBER },
      authenticatedAt: { name: 'authenticated_at', type: 'bigint', nullable: true, transformer: NUMBER },
      authentication: { type: 'text', nullable: true },
      rotatedAt: { name: 'rotated_at', type: 'bigint', transformer: NUMBER },
      lastActivityAt: { name: 'last_activity_at', type: 'bigint', transformer: NUMBER },
      expiresAt: { name: 'expires_at', type: 'bigint', transformer: NUMBER },
      absoluteExpiresAt: { name: 'absolute_expires_at', type: 'bigint', transformer: NUMBER },
      ip: { type: 'text', nullable: true, transformer: TEXT },
      userAgent: { name: 'user_agent', type: 'text', nullable: true, transformer: TEXT },
      fingerprint: { type: 'text', nullable: true },
      data: { type: 'json' },
      factors: { type: 'json', nullable: true },
      upstream: { type: 'text', nullable: true },
      sweepAt: { name: 'sweep_at', type: 'bigint', transformer: NUMBER },
      tokens: { type: 'json', nullable: true },
      formerRoles: { name: 'former_roles', type: 'json', nullable: true },
      rolesSince: { name: 'roles_since', type: 'integer', nullable: true },
      revision: { type: 'bigint', default: 0, transformer: NUMBER },
      device: { type: 'text', collation: 'C', nullable: true },
      recordVersion: { name: 'record_version', type: 'smallint', default: 1 },
      generation: { type: 'bigint', default: 0, transformer: NUMBER },
    },
    indices: [
      { name: SESSION_INDEXES.user, columns: ['userId', 'createdAt', 'handle'] },
      { name: SESSION_INDEXES.sweep, columns: ['sweepAt'] },
    ],
  });
}
