import { digestWith, hashOf } from '../crypto/session-token.js';
import type { OtherToken, SessionRecord } from './session-record.js';

/*
 * A session has one token. It is replaced in two ways:
 *
 * - Handed over (an interval, a change of roles): the client gets a successor, and the response with it may get lost.
 *   So the token stays valid until a successor is presented. The first presented successor replaces it. The previous
 *   token is honoured for a grace period, for requests in flight, and all other successors stop working.
 * - At once (a login, a proof, a factor): the new token is the token, and every other one is refused.
 *
 * Every other token that the session has had was replaced: its use is reuse, a sign of theft. The functions of this
 * file are pure; a store applies their changes with `SessionStore.rotate`, if the record has not changed meanwhile.
 */

export type { OtherToken };

/** What a token of a session is worth. */
export type TokenStanding =
  { readonly kind: 'present' | 'replaced' } | { readonly kind: OtherToken['kind']; readonly token: OtherToken };

/** The standing of the record's own token. */
export const PRESENT: TokenStanding = { kind: 'present' };

/** The fields of a record that say which tokens are honoured, and which roles they carry. */
export type TokenChanges = Partial<
  Pick<SessionRecord, 'digest' | 'rotatedAt' | 'tokens' | 'formerRoles' | 'rolesSince'>
>;

/** The most unused successors; older ones count as replaced. A client that ignores cookies cannot fill the store. */
const MAX_SUCCESSORS = 4;

/** The most tokens of the other kinds in a record. */
const MAX_REPLACED = 8;

/** Returns what the token of a digest is worth, or that it is not a token of this session. */
export function standingOf(
  record: Pick<SessionRecord, 'digest' | 'tokens'>,
  digest: string,
  now: number,
): TokenStanding {
  if (record.digest === digest) return PRESENT;
  const hash = hashOf(digest);
  const token = record.tokens?.find((other) => other.hash === hash);
  if (token === undefined || (token.kind !== 'successor' && token.at <= now)) return { kind: 'replaced' };
  return { kind: token.kind, token };
}

/** Whether a token lets a request pass: the present one, a successor, or a superseded one in its grace period. */
export function isHonoured({ kind }: TokenStanding): boolean {
  return kind === 'present' || kind === 'successor' || kind === 'superseded';
}

/**
 * Returns the roles of a token: those roles of the session that it has had without a break since the token was issued.
 * So a gained role needs a new token, and a lost role is lost by all tokens at once.
 */
export function rolesOf(record: SessionRecord, standing: TokenStanding): readonly string[] {
  const since = ('token' in standing ? standing.token.rolesSince : record.rolesSince) ?? 0;
  const former = record.formerRoles?.slice(since) ?? [];
  return record.roles.filter((role) => former.every((roles) => roles.includes(role)));
}

/** Whether the session's roles have changed since its token was issued. */
export function haveRolesChanged({ formerRoles = [], rolesSince = 0 }: SessionRecord): boolean {
  return formerRoles.length > rolesSince;
}

/** When the last successor was issued; undefined: no successor is out. */
export function handedOutAt({ tokens = [] }: SessionRecord): number | undefined {
  return tokens.find(({ kind }) => kind === 'successor')?.at;
}

/** Returns the changes that give a session other roles, and record which roles its tokens carried before. */
export function withRoles(
  { roles: before, formerRoles = [] }: Pick<SessionRecord, 'roles' | 'formerRoles'>,
  roles: readonly string[] = before,
): Partial<Pick<SessionRecord, 'roles' | 'formerRoles'>> {
  const isSame = roles.length === before.length && roles.every((role, index) => role === before[index]);
  return isSame ? {} : { roles, formerRoles: [...formerRoles, before] };
}

/** Returns the changes that add a successor, in front of the others. */
export function withSuccessor(
  { tokens = [], formerRoles = [] }: SessionRecord,
  digest: string,
  now: number,
  grace?: number,
): TokenChanges {
  const rolesSince = formerRoles.length;
  const successor: OtherToken = { hash: hashOf(digest), kind: 'successor', at: now, rolesSince, grace };
  const successors = [successor, ...tokens.filter(isSuccessor)].slice(0, MAX_SUCCESSORS);
  return { tokens: [...successors, ...replacedUntil(tokens, now)] };
}

/** Returns the changes that make a used successor the present token. */
export function withPromoted(
  record: SessionRecord,
  { hash, at, rolesSince }: OtherToken,
  now: number,
  grace: number,
): TokenChanges {
  const { digest, tokens = [] } = record;
  const before: OtherToken = {
    hash: hashOf(digest),
    kind: 'superseded',
    at: now + grace,
    rolesSince: record.rolesSince,
  };
  // no token is honoured for longer than a newer one; a refused token stays as it is
  const others = replacedUntil(tokens, now).map((token) =>
    token.kind === 'superseded' ? { ...token, at: Math.min(token.at, before.at) } : token,
  );
  return trimmed(record, {
    digest: digestWith(digest, hash),
    rotatedAt: at,
    rolesSince,
    tokens: [before, ...others].slice(0, MAX_REPLACED),
  });
}

/**
 * Returns the changes that make a new token the present one at once, and refuse every other token.
 *
 * @param grace for how many milliseconds a request with the previous token, or with a successor, is not reported as
 *   reuse
 * @param kind `renewable` if the user has proved their identity, and may repeat the proof with the same form
 */
export function withReplaced(
  record: SessionRecord,
  digest: string,
  { now, grace, kind }: { readonly now: number; readonly grace: number; readonly kind: 'retired' | 'renewable' },
): TokenChanges {
  const { tokens = [], formerRoles = [] } = record;
  const others = tokens.map((token): OtherToken => {
    // no matter how long it has been out: the client may be using it for the first time right now
    if (token.kind === 'successor') return { ...token, kind, at: now + grace };
    return { ...token, kind: token.kind === 'renewable' ? kind : 'retired' };
  });
  const before: OtherToken = { hash: hashOf(record.digest), kind, at: now + grace };
  const replaced = grace > 0 ? replacedUntil([before, ...others], now).slice(0, MAX_REPLACED) : [];
  return trimmed(record, { digest, rotatedAt: now, rolesSince: formerRoles.length, tokens: replaced });
}

function isSuccessor({ kind }: OtherToken): boolean {
  return kind === 'successor';
}

/** The replaced tokens that have not expired yet. */
function replacedUntil(tokens: readonly OtherToken[], now: number): readonly OtherToken[] {
  return tokens.filter((token) => !isSuccessor(token) && token.at > now);
}

/** Drops former roles that are older than every token. */
function trimmed(
  { formerRoles = [] }: SessionRecord,
  changes: TokenChanges & { readonly tokens: readonly OtherToken[] },
): TokenChanges {
  const { rolesSince = 0, tokens } = changes;
  // a refused token carries no roles
  const honoured = tokens.filter(({ kind }) => kind === 'successor' || kind === 'superseded');
  const oldest = Math.min(rolesSince, ...honoured.map((token) => token.rolesSince ?? 0));
  if (formerRoles.length === 0) return { ...changes, rolesSince: 0 };
  return {
    ...changes,
    formerRoles: formerRoles.slice(oldest),
    rolesSince: rolesSince - oldest,
    tokens: tokens.map((token) => ({ ...token, rolesSince: Math.max((token.rolesSince ?? 0) - oldest, 0) })),
  };
}
