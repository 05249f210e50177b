import { kindOf, type Device, type HandedOut } from './reference-devices.js';
import { create } from './reference-logins.js';
import type { ReferenceModel } from './reference-model.js';
import { Refused, type Given, type Login, type Names, type Steps } from './reference-session.js';

/** An answer that was used for longer than this did not get lost. */
const MOST_USE_OF_LOST_SESSION = 60_000;

/** What presenting a remember-me token came to. */
export type SignedIn =
  | { readonly status: 'refused' | 'unused' }
  | { readonly status: 'theft'; readonly userId: string }
  | { readonly status: 'signed-in'; readonly device: Device; readonly handedOut: HandedOut; readonly given: Given };

/** The random names of what was handed out, as an answer has told them. */
export interface NamesOfSignIn {
  readonly token: string;
  readonly session: Names;
}

/** A device presents a token. */
export function* signIn(
  model: ReferenceModel,
  text: string,
  login: Login,
  told: NamesOfSignIn | undefined,
): Steps<SignedIn> {
  const { devices, now } = model;
  let device = devices.of(text, now);
  let isFirst = false;
  for (;;) {
    if (device === undefined) return { status: 'refused' };
    const kind = kindOf(device, text, now);
    if (kind === 'in-flight') return { status: 'unused' };
    const { changes } = device;
    if (kind === 'replaced') {
      yield;
      if (devices.of(text, now)?.changes === changes) return yield* takeForStolen(model, text);
      yield;
      device = devices.of(text, now);
      continue;
    }
    if (kind === 'present' && devices.isShared(device, now)) break;
    yield;
    device = devices.of(text, now);
    if (device?.changes !== changes) continue;
    devices.handOut(device, text, told, now);
    isFirst = true;
    break;
  }
  device.handedOut!.names ??= told;
  const handedOut = { ...device.handedOut! };
  const before = { ...device };
  yield;
  const given = yield* createSession(model, before, handedOut, login, told);
  if (given === 'unused') return { status: 'unused' };
  if (given === 'in use') {
    yield;
    return yield* takeForStolen(model, text);
  }
  yield;
  const { id } = given.seen.session;
  const settled = settle(model, text, handedOut, id);
  if (settled?.sessionId !== id) {
    yield;
    model.end(id, settled === undefined ? 'revoked' : 'replaced');
    return { status: settled === undefined ? 'refused' : 'unused' };
  }
  if (isFirst) model.emit({ type: 'remember_me.used', userId: settled.userId, tokenId: settled.id });
  return { status: 'signed-in', device: { ...settled }, handedOut, given };
}

/** The session that is handed out takes the place of the one that the device had, or of one whose answer got lost. */
function* createSession(
  model: ReferenceModel,
  { createdAt, sessionId, answeredWith }: Device,
  { names, isSettled }: HandedOut,
  login: Login,
  told: NamesOfSignIn | undefined,
): Steps<Given | 'in use' | 'unused'> {
  const lost =
    answeredWith === undefined ? { id: sessionId } : { id: answeredWith, unlessUsedFor: MOST_USE_OF_LOST_SESSION };
  const admission = { ...login.admission, replaces: isSettled ? undefined : lost };
  try {
    const remembered = {
      ...login,
      authenticatedAt: createdAt,
      newDevice: false,
      token: names?.session.token,
      admission,
    };
    return (yield* create(model, remembered, told?.session)) ?? 'in use';
  } catch (error) {
    if (error instanceof Refused) return 'unused';
    throw error;
  }
}

/** Takes note that the session of what was handed out is there. Returns what the device has become meanwhile. */
function settle(
  { devices, now }: ReferenceModel,
  text: string,
  { at, names }: HandedOut,
  sessionId: string,
): Device | undefined {
  const device = devices.of(text, now);
  const handedOut = device?.handedOut;
  if (device === undefined || handedOut?.at !== at || handedOut.names?.token !== names?.token) return device;
  if (handedOut.isSettled) return device;
  handedOut.isSettled = true;
  device.sessionId = device.answeredWith = sessionId;
  device.changes += 1;
  return device;
}

/** Forgets the device of a token, and ends the session that it was signed in by. Returns whether there was a device. */
export function* forget(
  model: ReferenceModel,
  text: string,
  { reason, except }: { readonly reason: string; readonly except?: string },
): Steps<boolean> {
  const device = remove(model, text);
  if (device === undefined) return false;
  if (yield* isStolen(model, device, text, except)) {
    yield* answerTheft(model, device, except);
    return true;
  }
  yield;
  const sessions = [device.sessionId, device.handedOut?.names?.session.id ?? device.sessionId];
  for (const id of new Set(sessions)) if (id !== except) model.end(id, reason);
  return true;
}

function* isStolen(model: ReferenceModel, device: Device, text: string, own: string | undefined): Steps<boolean> {
  const kind = kindOf(device, text, model.now);
  if (kind !== 'present') return kind === 'replaced';
  const { answeredWith } = device;
  if (answeredWith === undefined || answeredWith === own) return false;
  yield;
  const session = model.live(answeredWith);
  return session !== undefined && session.lastActivityAt - session.createdAt > MOST_USE_OF_LOST_SESSION;
}

function* takeForStolen(model: ReferenceModel, text: string): Steps<SignedIn> {
  const device = remove(model, text);
  if (device === undefined) return { status: 'refused' };
  yield* answerTheft(model, device);
  return { status: 'theft', userId: device.userId };
}

/** Every device of the user and, by the settings, every session but one that they have just proved themselves in. */
function* answerTheft(model: ReferenceModel, { id: tokenId, userId }: Device, except?: string): Steps<void> {
  yield;
  const revokedTokens = 1 + model.devices.forgetAll(userId, undefined, model.now);
  let revokedSessions = 0;
  if (model.settings.rememberMe.onTheft !== 'revoke-tokens') {
    yield;
    revokedSessions = model.revokeAll(userId, 'remember_me_theft', except);
  }
  model.emit({ type: 'remember_me.theft', userId, tokenId, revokedTokens, revokedSessions });
}

/** Removes the device of a token. */
function remove({ devices, now }: ReferenceModel, text: string): Device | undefined {
  const device = devices.of(text, now);
  devices.forget((each) => each === device, now);
  return device;
}
