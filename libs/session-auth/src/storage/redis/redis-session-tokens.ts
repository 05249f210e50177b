import { isTime } from '../../time/clock.js';
import type { OtherToken } from '../../session/session-tokens.js';

/**
 * A token in a session's value: kind, hash, at, then rolesSince and grace if the token has them.
 *
 * The script function `isHonoured` finds a hash by the quotes around it, and the kind before it.
 */
export type StoredToken = readonly [
  kind: StoredKind,
  hash: string,
  at: number,
  rolesSince?: number | null,
  grace?: number | null,
];

const KINDS = { successor: 's', superseded: 'h', retired: 't', renewable: 'n' } as const;

type StoredKind = (typeof KINDS)[OtherToken['kind']];

const KINDS_STORED = new Map<unknown, OtherToken['kind']>(
  (Object.keys(KINDS) as OtherToken['kind'][]).map((kind) => [KINDS[kind], kind]),
);

/** Returns a token as it is stored. */
export function encodeToken({ kind, hash, at, rolesSince, grace }: OtherToken): StoredToken {
  if (grace !== undefined) return [KINDS[kind], hash, at, rolesSince ?? null, grace];
  return rolesSince === undefined ? [KINDS[kind], hash, at] : [KINDS[kind], hash, at, rolesSince];
}

/** Decodes a stored token. */
export function decodeToken([kind, hash, at, rolesSince, grace]: StoredToken): OtherToken {
  return {
    hash,
    kind: KINDS_STORED.get(kind)!,
    at,
    ...(typeof rolesSince === 'number' && { rolesSince }),
    ...(typeof grace === 'number' && { grace }),
  };
}

/** Whether a member of a value is the list of a session's tokens. */
export function areStoredTokens(value: unknown): value is readonly StoredToken[] {
  return Array.isArray(value) && value.every(isStoredToken);
}

function isStoredToken(value: unknown): value is StoredToken {
  if (!Array.isArray(value)) return false;
  const [kind, hash, at, ...rest] = value as unknown[];
  return (
    KINDS_STORED.has(kind) &&
    typeof hash === 'string' &&
    isTime(at) &&
    rest.every((each) => each === null || typeof each === 'number')
  );
}
