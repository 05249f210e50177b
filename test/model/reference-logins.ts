import type { ReferenceModel } from './reference-model.js';
import { dataBytes, issue, read, see } from './reference-requests.js';
import { Refused, type Given, type Login, type Names, type ReferenceSession, type Steps } from './reference-session.js';
import { issued, ReferenceTokens } from './reference-tokens.js';

/**
 * A login, or without a user an anonymous session. Undefined: the session that it was to replace is in use.
 *
 * @param named the names that the session got; undefined when it got none, which is right where it is refused
 */
export function* create(model: ReferenceModel, login: Login, named: Names | undefined): Steps<Given | undefined> {
  const { token, device, data } = login;
  if (dataBytes(data) > model.settings.maxDataSize) throw Refused.with('session_data_too_large');
  const namesake = token === undefined ? undefined : model.byToken(token);
  if (token !== undefined && namesake !== undefined && model.isLive(namesake)) {
    yield;
    // of several logins by one token: the session that the first has made
    const seen = yield* read(model, token, { isUse: false, ip: login.ip });
    if (seen === undefined) throw Refused.with('session_required');
    return { token, seen };
  }
  if (namesake !== undefined) model.remove(namesake);
  const userId = login.user === undefined ? undefined : String(login.user.id);
  const live = userId === undefined ? [] : model.list(userId);
  model.fade(userId);
  const { sharedFor = 0, replaces } = login.admission;
  const ofDevice = live.filter((session) => device !== undefined && session.device === device);
  const shared = ofDevice.find(({ createdAt }) => model.now - createdAt < sharedFor);
  if (shared !== undefined) {
    yield;
    const given = yield* share(model, shared.id, named);
    return given ?? (yield* create(model, { ...login, admission: { ...login.admission, sharedFor: 0 } }, named));
  }
  const meant = live.filter(({ id }) => id === replaces?.id);
  const { unlessUsedFor = Infinity } = replaces ?? {};
  if (meant.some(({ createdAt, lastActivityAt }) => lastActivityAt - createdAt > unlessUsedFor)) return undefined;
  makeRoom(model, login, live, [...ofDevice, ...meant]);
  const session = begin(model, login, userId, named ?? model.takeUnnamed(token));
  return { token: session.tokens.present.token, seen: see(session, session.tokens.present.token) };
}

/** The second of two logins of one device gets a token of its own. */
function* share(model: ReferenceModel, id: string, named: Names | undefined): Steps<Given | undefined> {
  const session = model.live(id);
  if (session === undefined) return undefined;
  const seen = see(session, session.tokens.present.token);
  yield;
  return model.live(id) && issue(model, seen, named?.token, { how: 'share', reason: 'login' });
}

function makeRoom(
  model: ReferenceModel,
  { user, admission }: Login,
  live: readonly ReferenceSession[],
  replaced: readonly ReferenceSession[],
): void {
  const { max, onLimit } = admission;
  const others = live.filter((session) => !replaced.includes(session)).reverse();
  if (onLimit === 'evict-least-recent') others.sort((a, b) => a.lastActivityAt - b.lastActivityAt);
  const surplus = user === undefined ? 0 : Math.max(others.length - max + 1, 0);
  if (surplus > 0 && onLimit === 'reject') {
    model.emit({ type: 'session.limit_reached', userId: String(user?.id) });
    throw Refused.with('session_limit_reached');
  }
  for (const { id } of replaced) model.end(id, 'replaced');
  for (const session of others.slice(0, surplus)) {
    model.remove(session);
    model.emit({ type: 'session.evicted', sessionId: session.id, userId: session.userId });
  }
}

function begin(
  model: ReferenceModel,
  login: Login,
  userId: string | undefined,
  { id, token }: Names,
): ReferenceSession {
  const { now, settings } = model;
  const roles = login.user?.roles ?? [];
  const session: ReferenceSession = {
    id,
    userId,
    email: login.user?.email ?? undefined,
    roles,
    createdAt: now,
    authenticatedAt: userId === undefined ? undefined : (login.authenticatedAt ?? now),
    authentication: userId === undefined ? undefined : (login.authentication ?? 'custom'),
    device: login.device,
    rotatedAt: now,
    lastActivityAt: now,
    expiresAt: now + Math.min(settings.idle, settings.absolute),
    absoluteExpiresAt: now + settings.absolute,
    ip: login.ip,
    data: { ...login.data },
    tokens: new ReferenceTokens([issued(token, 'present', { roles, now, grace: 0 })]),
    faded: false,
  };
  model.sessions.push(session);
  const { authentication } = session;
  model.emit({ type: 'session.created', sessionId: id, userId, authentication, newDevice: login.newDevice });
  return session;
}
