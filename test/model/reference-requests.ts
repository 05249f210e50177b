import type { SessionData, SessionUser } from 'nestjs-session-auth';
import { copyOf, type ReferenceModel } from './reference-model.js';
import { Refused, type Given, type ReferenceSession, type Seen, type Steps } from './reference-session.js';
import type { TokenKind } from './reference-tokens.js';

/** A request by a token finds its session. */
export function* find(model: ReferenceModel, token: string): Steps<Seen | undefined> {
  const seen = yield* read(model, token);
  if (seen === undefined || seen.session.tokens.kindOf(token, model.now) !== 'successor') return seen;
  yield;
  const session = model.live(seen.session.id);
  if (session === undefined) {
    model.emit({ type: 'session.used_after_end', sessionId: token.slice(2, 22) });
    return undefined;
  }
  if (session.tokens.kindOf(token, model.now) === 'successor') {
    session.tokens.promote(token, model.now);
    session.rotatedAt = session.tokens.present.issuedAt;
  }
  return yield* judge(model, session, token);
}

/** The session of a token, which a successor does not become the token of. */
export function* read(
  model: ReferenceModel,
  token: string,
  { isUse = true, ip }: { readonly isUse?: boolean; readonly ip?: string } = {},
): Steps<Seen | undefined> {
  const { now, settings } = model;
  const session = model.byToken(token);
  if (session === undefined || !model.isLive(session)) {
    if (session !== undefined) {
      model.remove(session);
      model.emit({ type: 'session.expired', sessionId: session.id, userId: session.userId }, session.faded);
    }
    if (isUse) model.emit({ type: 'session.used_after_end', sessionId: token.slice(2, 22) });
    return undefined;
  }
  if (session.tokens.isHonoured(token, now) && now - session.lastActivityAt >= settings.touchInterval) {
    session.lastActivityAt = now;
    session.expiresAt = Math.min(now + settings.idle, session.absoluteExpiresAt);
    session.ip = ip ?? session.ip;
  }
  return yield* judge(model, session, token, isUse);
}

function* judge(
  model: ReferenceModel,
  session: ReferenceSession,
  token: string,
  isUse = true,
): Steps<Seen | undefined> {
  const { id: sessionId, userId, tokens } = session;
  if (tokens.isHonoured(token, model.now)) return see(session, token);
  if (tokens.kindOf(token, model.now) === 'replaced' && isUse) {
    model.emit({ type: 'session.token_reused', sessionId, userId });
    if (model.settings.onReuse === 'report') return undefined;
    yield;
    if (userId === undefined) model.end(sessionId, 'token_reused');
    else model.revoke(userId, sessionId, 'token_reused');
  }
  return undefined;
}

/** What a request sees that reads a session by a token. */
export function see(session: ReferenceSession, token: string, roles = session.tokens.rolesOf(token)): Seen {
  return { token, session: copyOf(session), roles };
}

/** A request as over HTTP: it finds its session, and is given a successor of a token that is due. */
export function* resume(
  model: ReferenceModel,
  token: string,
  next: string | undefined,
): Steps<{ readonly seen: Seen; readonly next?: string } | undefined> {
  const seen = yield* find(model, token);
  if (seen === undefined || !isDue(model, seen)) return seen && { seen };
  yield;
  try {
    const reason = seen.session.tokens.present.isOutdated ? 'roles_changed' : 'interval';
    const given = issue(model, seen, next, { how: 'hand-over', reason });
    return given === undefined ? { seen } : { seen: given.seen, next: given.token };
  } catch (error) {
    if (error === Refused.with('session_required')) return undefined;
    throw error;
  }
}

/** Whether a token may be written into a cookie again: no newer one is on its way to the client, nor will be soon. */
export function isLasting({ now, settings }: ReferenceModel, { token, session }: Seen): boolean {
  const { rotateEvery = Infinity, rotationGrace } = settings;
  const { tokens, rotatedAt } = session;
  const soon = now + (rotationGrace || 10_000);
  return tokens.kindOf(token, now) === 'present' && tokens.handedOutAt === undefined && soon < rotatedAt + rotateEvery;
}

function isDue({ now, settings }: ReferenceModel, { token, session }: Seen): boolean {
  const { rotateEvery = Infinity, rotationGrace } = settings;
  const { tokens, rotatedAt } = session;
  if (tokens.kindOf(token, now) !== 'present') return false;
  if (tokens.handedOutAt !== undefined) return !tokens.isHandingOver(now, rotationGrace);
  return rotatedAt === 0 || tokens.present.isOutdated || now - rotatedAt >= rotateEvery;
}

/** A request that comes by a token which was taken at once a moment ago. */
export function seeRetired(
  model: ReferenceModel,
  token: string,
  kinds: readonly TokenKind[] = ['retired', 'renewable'],
): Seen | undefined {
  const session = model.live(token.slice(2, 22));
  return session && kinds.includes(session.tokens.kindOf(token, model.now)) ? see(session, token) : undefined;
}

/** How a session gets a new token. */
export interface Issue {
  /**
   * - `hand-over`: a successor, unless one is on its way.
   * - `replace`: at once, if the request has the token.
   * - `prove`: at once, by any token that is honoured; by one that a proof has just replaced, a successor.
   * - `share`: a successor, unless a factor was proved.
   */
  readonly how: 'hand-over' | 'replace' | 'prove' | 'share';
  readonly reason: string;
  readonly factor?: string;
  readonly grace?: number;
  readonly changes?: Partial<ReferenceSession>;
}

/** Gives the session of a request a new token. Undefined: it is not to have one. */
export function issue(
  model: ReferenceModel,
  seen: Seen,
  next: string | undefined,
  { how, reason, factor, changes, grace = model.settings.rotationGrace }: Issue,
): Given | undefined {
  // what the request has read decides already, whatever has become of the session
  if (kindOfNext(model, seen.session, seen.token, how) === undefined) return undefined;
  const session = model.live(seen.session.id);
  if (session === undefined) throw Refused.with('session_required');
  const { now, settings } = model;
  const { tokens, id: sessionId, userId } = session;
  const kind = kindOfNext(model, session, seen.token, how);
  if (kind === undefined) return undefined;
  const token = next ?? 'none';
  if (kind === 'successor') tokens.handOut(token, session.roles, now, grace);
  else {
    const { roles = session.roles, ...given } = changes ?? {};
    model.changeRoles(session, roles);
    for (const [field, value] of Object.entries(given))
      if (value !== undefined) Object.assign(session, { [field]: value });
    tokens.replace(token, session.roles, { now, grace: settings.rotationGrace, kind });
    session.rotatedAt = now;
  }
  model.emit({ type: 'session.rotated', sessionId, userId, reason, factor });
  // the request goes on by the token that it came with, as long as that is honoured
  const own = tokens.isHonoured(seen.token, now) ? seen.token : token;
  return { token, seen: see(session, own, tokens.rolesOf(token)) };
}

/** What a new token makes of the session's tokens; undefined: there is to be none. */
function kindOfNext(
  { now, settings }: ReferenceModel,
  { tokens, factors = {} }: ReferenceSession,
  token: string,
  how: Issue['how'],
): 'successor' | 'retired' | 'renewable' | undefined {
  const kind = tokens.kindOf(token, now);
  switch (how) {
    case 'hand-over':
      return kind === 'present' && !tokens.isHandingOver(now, settings.rotationGrace) ? 'successor' : undefined;
    case 'replace':
      return kind === 'present' || kind === 'successor' ? 'retired' : undefined;
    case 'prove':
      if (kind === 'renewable') return 'successor';
      return tokens.isHonoured(token, now) ? 'renewable' : undefined;
    case 'share':
      return Object.keys(factors).length === 0 ? 'successor' : undefined;
  }
}

/** What a proof of who the user is makes of a session. */
export function proofOf(
  model: ReferenceModel,
  { session }: Seen,
  reason: 'login' | 'reauthentication' | 'credentials_changed',
  { user, ip }: { readonly user: SessionUser; readonly ip: string },
): Issue {
  if (reason === 'credentials_changed') return { how: 'prove', reason };
  const { now, settings } = model;
  const { roles, email } = user;
  const proven = {
    // empty: the account has no address any more
    email: email ?? (session.email && ''),
    roles: roles ?? [],
    authenticatedAt: now,
    authentication: 'password',
  } as const;
  if (reason === 'reauthentication') return { how: 'prove', reason, changes: proven };
  const absoluteExpiresAt = now + settings.absolute;
  const expiresAt = Math.min(now + settings.idle, absoluteExpiresAt);
  // the login has proved none
  const factors = model.live(session.id)?.factors && {};
  const fresh = { factors, createdAt: now, lastActivityAt: now, expiresAt, absoluteExpiresAt, ip };
  return { how: 'prove', reason, changes: { ...proven, ...fresh } };
}

/** Writes data in a request. */
export function update(model: ReferenceModel, { token, session: { id } }: Seen, patch: SessionData): void {
  const session = model.live(id);
  if (session?.tokens.isHonoured(token, model.now) !== true) throw Refused.with('session_required');
  const merged = Object.fromEntries(
    Object.entries({ ...session.data, ...patch }).filter(([, value]) => value !== undefined),
  );
  const bytes = dataBytes(merged);
  if (bytes > model.settings.maxDataSize && bytes > dataBytes(session.data)) {
    throw Refused.with('session_data_too_large');
  }
  for (const key of Object.keys(session.data)) delete session.data[key];
  Object.assign(session.data, merged);
}

/** Bytes of JSON, every key with its value. */
export function dataBytes(data: SessionData): number {
  return Object.entries(data).reduce(
    (bytes, [key, value]) => bytes + Buffer.byteLength(`${JSON.stringify(key)}:${JSON.stringify(value)}`),
    0,
  );
}
