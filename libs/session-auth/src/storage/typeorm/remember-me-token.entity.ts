import { EntitySchema } from 'typeorm';
import type { RememberMeSuccessor } from '../../remember-me/remember-me-token-store.js';
import { REMEMBER_ME_INDEXES, REMEMBER_ME_TABLE } from '../postgres/remember-me-tables.js';
import { TEXT, NUMBER } from './column-transformers.js';

/** A row of the table of remember-me tokens, as an application reads it through TypeORM. Times are milliseconds. */
export interface RememberMeTokenRow {
  readonly selector: string;
  /** The public handle of the device. */
  readonly handle: string;
  readonly userId: string;
  /** SHA-256 of the present validator. */
  readonly validatorDigest: string;
  /** SHA-256 of recently replaced validators; `replacedUntil` says until when requests with them count as in flight. */
  readonly replacedDigests: readonly string[];
  readonly replacedUntil: readonly string[];
  readonly createdAt: number;
  readonly lastUsedAt: number;
  readonly expiresAt: number;
  /** The handle of the device's latest session. */
  readonly sessionHandle: string;
  readonly ip: string | null;
  readonly userAgent: string | null;
  /** How often the row has changed. */
  readonly revision: number;
  /** The validator that was issued and has not been presented yet. */
  readonly successor: RememberMeSuccessor | null;
  /** The version of the row's record. */
  readonly recordVersion: number;
  /** The generation of its realm in which the device was remembered. */
  readonly generation: number;
}

/** The entity of the table of remember-me tokens. Read only, like `SessionEntity`. */
export const RememberMeTokenEntity = createRememberMeTokenEntity();

/** {@link RememberMeTokenEntity} for a table in another schema. */
export function createRememberMeTokenEntity({
  schema,
}: { readonly schema?: string } = {}): EntitySchema<RememberMeTokenRow> {
  return new EntitySchema<RememberMeTokenRow>({
    name: 'RememberMeTokenEntity',
    tableName: REMEMBER_ME_TABLE,
    schema,
    columns: {
      selector: { type: 'text', collation: 'C', primary: true, primaryKeyConstraintName: REMEMBER_ME_INDEXES.selector },
      handle: { type: 'text', collation: 'C' },
      userId: { name: 'user_id', type: 'text', collation: 'C', transformer: TEXT },
      validatorDigest: { name: 'validator_digest', type: 'text', collation: 'C' },
      replacedDigests: { name: 'replaced_digests', type: 'text', array: true, collation: 'C', default: '{}' },
      replacedUntil: { name: 'replaced_until', type: 'bigint', array: true, default: '{}' },
      createdAt: { name: 'created_at', type: 'bigint', transformer: NUMBER },
      lastUsedAt: { name: 'last_used_at', type: 'bigint', transformer: NUMBER },
      expiresAt: { name: 'expires_at', type: 'bigint', transformer: NUMBER },
      sessionHandle: { name: 'session_handle', type: 'text', collation: 'C' },
      ip: { type: 'text', nullable: true, transformer: TEXT },
      userAgent: { name: 'user_agent', type: 'text', nullable: true, transformer: TEXT },
      revision: { type: 'bigint', default: 0, transformer: NUMBER },
      successor: { type: 'json', nullable: true },
      recordVersion: { name: 'record_version', type: 'smallint', default: 1 },
      generation: { type: 'bigint', default: 0, transformer: NUMBER },
    },
    indices: [
      { name: REMEMBER_ME_INDEXES.user, columns: ['userId', 'createdAt', 'handle'] },
      { name: REMEMBER_ME_INDEXES.expiry, columns: ['expiresAt'] },
    ],
  });
}
