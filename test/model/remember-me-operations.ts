import { randomBytes } from 'node:crypto';
import type { IssuedRememberMe, Session } from 'nestjs-session-auth';
import { digestOf, handleOf, markOfUser } from '../../libs/session-auth/src/crypto/session-token.js';
import type { RememberMeSignInOutcome } from '../../libs/session-auth/src/remember-me/remember-me-sign-in.js';
import { pick, type Arrival } from './journal.js';
import { nodeOf, started, viewOfIssued, type NodeChoice, type Operation, type Run } from './operation.js';
import { viewOfDevice, viewOfSeen, viewOfSession } from './observation.js';
import { selectorOf } from './reference-devices.js';
import type { ReferenceModel } from './reference-model.js';
import * as reference from './reference-remembered.js';
import { resume as resumeInModel, seeRetired } from './reference-requests.js';
import type { Login, Names, Seen, Steps } from './reference-session.js';
import { findRetired, resume, type Resumed } from './request-operations.js';
import { viewOfGiven } from './session-operations.js';
import type { ApplicationNode } from './system.js';

/** Remembers the device of an open request. */
export function remember(node: NodeChoice, index: number, ip: string): Operation {
  return {
    name: `remember(${index})`,
    start: (run) => {
      const { journal } = run;
      const request = journal.takeRequest(index, ({ userId }) => userId !== undefined);
      if (request === undefined) return undefined;
      const userId = request.userId!;
      return started(
        nodeOf(run, node).rememberMe.issue(userId, request.id, { ip }),
        ({ token, device }: IssuedRememberMe) => {
          journal.remembered(token, device);
          return { token, id: device.id, device: viewOfDevice(device) };
        },
        (model, named: Names) => {
          const device = model.devices.issue(userId, request.id, ip, named, model.now);
          model.emit({ type: 'remember_me.issued', userId, tokenId: named.id });
          return { token: named.token, id: named.id, device: viewOfDevice(device) };
        },
      );
    },
  };
}

/** What a visit of a remembered device is like. */
export interface VisitPlan {
  readonly ip: string;
  /** Where the device is known by more than its token. */
  readonly device?: string;
  readonly arrival: Arrival;
  /** Whether the visitor knows the beginning of the token only. */
  readonly isForged?: boolean;
  /** The index of the session token that comes along. Undefined: the browser has been started anew. */
  readonly withSession?: number;
}

/**
 * A device comes back with its token: the present one or an old one, with a session's token or without. As over HTTP it
 * is signed in where the session is over.
 */
export function visit(node: NodeChoice, index: number, plan: VisitPlan): Operation {
  const { ip: _ip, ...details } = plan;
  return {
    name: `visit(${index}, ${JSON.stringify(details)})`,
    start: (run) => {
      const { journal, system } = run;
      const known = pick(journal.deviceTokens, index);
      if (known === undefined) return undefined;
      const text = plan.isForged === true ? forged(known) : known;
      const token = plan.withSession === undefined ? undefined : pick(journal.tokens, plan.withSession);
      const userId = journal.ownerOfDevice(known);
      const { device, ip } = plan;
      const admission = system.limitOf(userId);
      const user = system.account(userId);
      const login: Login = { user, authentication: 'remember-me', device, ip, admission, data: {} };
      const from = { client: { ip }, device, userMark: markOfUser(userId) };
      let opened: Session | undefined;
      return started(
        handle(nodeOf(run, node), token, token && journal.ownerOf(token), (node) => node.signIns.signIn(text, from)),
        (visited) => {
          opened = sessionOf(visited);
          return noteVisit(run, visited, plan.arrival);
        },
        function* (model, actual: ReturnType<typeof noteVisit>): Steps<object> {
          const { seen, view } = yield* handleInModel(model, token, login, text, actual);
          if (opened !== undefined && seen !== undefined) model.seen.set(opened, seen);
          return view;
        },
      );
    },
  };
}

function forged(token: string): string {
  return `${selectorOf(token)}:${randomBytes(32).toString('base64url')}`;
}

type Visited = ({ readonly status: 'found' } & Resumed) | { readonly status: 'in flight' } | RememberMeSignInOutcome;

async function handle(
  node: ApplicationNode,
  token: string | undefined,
  owner: string | undefined,
  signIn: (node: ApplicationNode) => Promise<RememberMeSignInOutcome>,
): Promise<Visited> {
  if (token === undefined) return signIn(node);
  const found = await resume(node, token, owner);
  if (found !== undefined) return { status: 'found', ...found };
  // another request has replaced the token, and has the session
  return (await findRetired(node, token, owner)) === undefined ? signIn(node) : { status: 'in flight' };
}

function sessionOf(visited: Visited): Session | undefined {
  if (visited.status === 'found') return visited.session;
  return visited.status === 'signed-in' ? visited.session.session : undefined;
}

function noteVisit({ journal }: Run, visited: Visited, arrival: Arrival) {
  const session = sessionOf(visited);
  if (session !== undefined) journal.opened(session);
  if (visited.status === 'found') {
    const { status, handedOver } = visited;
    if (handedOver !== undefined) journal.issued({ token: handedOver }, arrival);
    return { status, handedOver, found: viewOfSession(visited.session) };
  }
  if (visited.status !== 'signed-in') return visited;
  const { status, record, token, session: issued, until } = visited;
  journal.issued({ token: issued.token, deviceToken: token }, arrival);
  return { status, device: viewOfDevice(record), token, session: viewOfIssued(issued), until };
}

function* handleInModel(
  model: ReferenceModel,
  token: string | undefined,
  login: Login,
  text: string,
  actual: ReturnType<typeof noteVisit> | undefined,
): Steps<{ readonly view: object; readonly seen?: Seen }> {
  if (token !== undefined) {
    const found = yield* resumeInModel(model, token, actual?.status === 'found' ? actual.handedOver : undefined);
    if (found !== undefined) {
      const { seen, next: handedOver } = found;
      return { seen, view: { status: 'found', handedOver, found: viewOfSeen(seen) } };
    }
    yield;
    if (seeRetired(model, token) !== undefined) return { view: { status: 'in flight' } };
    yield;
  }
  const outcome = yield* reference.signIn(model, text, login, actual?.status === 'signed-in' ? actual : undefined);
  if (outcome.status !== 'signed-in') return { view: outcome };
  const { status, device, given, handedOut } = outcome;
  const until = handedOut.at + (model.settings.rememberMe.reuseGrace || 30_000);
  const next = handedOut.names?.token;
  return {
    seen: given.seen,
    view: { status, device: viewOfDevice(device), token: next, session: viewOfGiven(given), until },
  };
}

/** Forgets a device by its token, which may be an old one. @param except the index of a handle that does not end */
export function forgetByToken(node: NodeChoice, index: number, except: number | undefined): Operation {
  return {
    name: `forgetByToken(${index}, except ${except})`,
    start: (run) => {
      const { journal } = run;
      const text = pick(journal.deviceTokens, index);
      if (text === undefined) return undefined;
      const exceptSessionId = except === undefined ? undefined : pick(journal.handles, except);
      return started(
        nodeOf(run, node).revocation.forget(text, { reason: 'replaced', exceptSessionId }),
        Boolean,
        (model) => reference.forget(model, text, { reason: 'replaced', except: exceptSessionId }),
      );
    },
  };
}

/** Logs out as over HTTP, by the tokens of a session and of a device, either of which may be an old one. */
export function logout(node: NodeChoice, index: number, session: number): Operation {
  return {
    name: `logout(${index}, ${session})`,
    start: (run) => {
      const { journal } = run;
      const text = pick(journal.deviceTokens, index);
      const token = pick(journal.tokens, session);
      if (text === undefined || token === undefined) return undefined;
      const { revocation, changes } = nodeOf(run, node);
      const id = handleOf(token);
      return started(
        Promise.all([
          revocation.forget(text, { reason: 'logout', exceptSessionId: id }),
          changes.destroy(digestOf(token), 'logout'),
        ]),
        (answers) => answers,
        function* (model): Steps<[boolean, boolean]> {
          const isOver = model.end(id, 'logout');
          return [yield* reference.forget(model, text, { reason: 'logout', except: id }), isOver];
        },
      );
    },
  };
}

/** Forgets a device by its handle. */
export function forgetDevice(node: NodeChoice, userId: string, index: number): Operation {
  return {
    name: `forgetDevice(${userId}, ${index})`,
    start: (run) => {
      const id = pick(run.journal.deviceIds, index);
      if (id === undefined) return undefined;
      return started(nodeOf(run, node).rememberMe.revoke(userId, id), Boolean, ({ devices, now }) => {
        return devices.forget((device) => device.userId === userId && device.id === id, now) > 0;
      });
    },
  };
}

/** Forgets all devices of a user. @param keep index of the handle of a session whose device stays; undefined: none */
export function forgetAll(node: NodeChoice, userId: string, keep: number | undefined): Operation {
  return {
    name: `forgetAll(${userId}, but ${keep})`,
    start: (run) => {
      const except = keep === undefined ? undefined : (pick(run.journal.handles, keep) ?? 'none');
      const answer = nodeOf(run, node).rememberMe.revokeAll(userId, except);
      return started(answer, Number, ({ devices, now }) => devices.forgetAll(userId, except, now));
    },
  };
}
