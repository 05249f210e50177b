import type { IssuedSession, Session, SessionData, SessionUser } from 'nestjs-session-auth';
import { pick, type Arrival } from './journal.js';
import { nodeOf, started, viewOfIssued, type NodeChoice, type Operation, type Run } from './operation.js';
import { create } from './reference-logins.js';
import type { ReferenceModel } from './reference-model.js';
import { issue, proofOf, resume as resumeInModel, seeRetired } from './reference-requests.js';
import { Refused, type Given, type Login, type Names, type Seen, type Steps } from './reference-session.js';
import { findRenewable, resume, unlessEnded } from './request-operations.js';
import { viewOfGiven } from './session-operations.js';
import type { ApplicationNode } from './system.js';

/** What a login is like. */
export interface LoginPlan {
  /** Undefined: an anonymous session. */
  readonly userId?: string;
  readonly data?: SessionData;
  readonly ip: string;
  /**
   * The device, where it is known: what it had before is shared for the grace of a rotation, and replaced after that.
   */
  readonly device?: string;
  /** The index of the handle of a session that is to be replaced. */
  readonly replaces?: number;
  /** In milliseconds: for how long the session to replace may have been used. */
  readonly unlessUsedFor?: number;
  readonly arrival?: Arrival;
}

/** Logs a user in, or without one makes an anonymous session. */
export function login(node: NodeChoice, plan: LoginPlan): Operation {
  const { ip: _ip, userId = 'nobody', ...details } = plan;
  return {
    name: `login(${userId}, ${JSON.stringify(details)})`,
    start: (run) => {
      const login = loginOf(run, plan);
      let opened: Session | undefined;
      return started(
        nodeOf(run, node).changes.createUnlessInUse(inputOf(login)),
        (issued) => {
          opened = issued?.session;
          return issued && noteLogin(run, issued, plan.arrival);
        },
        function* (model, actual: Names | undefined): Steps<object | undefined> {
          const given = yield* create(model, login, actual);
          if (given !== undefined && opened !== undefined) model.seen.set(opened, given.seen);
          return given && viewOfGiven(given);
        },
      );
    },
  };
}

/**
 * A login form as over HTTP, sent with a token that may be an old one. Over a live session of the same user it renews
 * that, over any other it begins a new session and ends the one before, whose data it takes over if it was nobody's.
 */
export function signIn(node: NodeChoice, index: number, plan: LoginPlan & { readonly userId: string }): Operation {
  const { ip: _ip, userId, ...details } = plan;
  return {
    name: `signIn(${index}, ${userId}, ${JSON.stringify(details)})`,
    start: (run) => {
      const { journal } = run;
      const token = pick(journal.tokens, index);
      if (token === undefined) return undefined;
      const login = loginOf(run, plan);
      const owner = journal.ownerOf(token);
      let opened: Session | undefined;
      return started(
        handle(nodeOf(run, node), token, owner, login),
        ({ issued, handedOver }) => {
          opened = issued.session;
          const view = noteLogin(run, issued, plan.arrival);
          if (handedOver !== undefined) journal.overwritten(handedOver);
          return { ...view, handedOver };
        },
        function* (model, actual: SignedIn | undefined): Steps<object> {
          const { given, handedOver } = yield* handleInModel(model, token, login, actual);
          if (opened !== undefined) model.seen.set(opened, given.seen);
          return { ...viewOfGiven(given), handedOver };
        },
      );
    },
  };
}

/** The names of what a sign-in has issued. */
type SignedIn = Names & { readonly handedOver?: string };

type UserLogin = Login & { readonly user: SessionUser };

async function handle(
  node: ApplicationNode,
  token: string,
  owner: string | undefined,
  login: UserLogin,
): Promise<{ readonly issued: IssuedSession; readonly handedOver?: string }> {
  const { changes, rotation } = node;
  const { user, ip } = login;
  const resumed = await resume(node, token, owner);
  const own = resumed?.session ?? (await findRenewable(node, token, owner));
  const handedOver = resumed?.handedOver;
  if (own?.userId === user.id) {
    const renewed = await unlessEnded(rotation.renew(own, { user, authentication: 'password', client: { ip } }));
    if (renewed !== undefined && renewed !== 'ended') return { issued: renewed, handedOver };
  }
  const previous = resumed?.session;
  const data = previous?.userId === undefined ? previous?.data : undefined;
  const issued = await changes.create({ ...inputOf(login), data });
  if (previous !== undefined && previous.id !== issued.session.id) await changes.destroySession(previous, 'replaced');
  return { issued, handedOver };
}

function* handleInModel(
  model: ReferenceModel,
  token: string,
  login: UserLogin,
  actual: SignedIn | undefined,
): Steps<{ readonly given: Given; readonly handedOver?: string }> {
  const resumed = yield* resumeInModel(model, token, actual?.handedOver);
  if (resumed === undefined) yield;
  const own = resumed?.seen ?? seeRetired(model, token, ['renewable']);
  const handedOver = resumed?.next;
  if (own?.session.userId === login.user.id) {
    yield;
    const renewed = renew(model, own, login, actual);
    if (renewed !== undefined) return { given: renewed, handedOver };
  }
  yield;
  const previous = resumed?.seen.session;
  const data = previous?.userId === undefined ? (previous?.data ?? {}) : {};
  const given = (yield* create(model, { ...login, data }, actual))!;
  if (previous !== undefined && previous.id !== given.seen.session.id) {
    yield;
    model.end(previous.id, 'replaced');
  }
  return { given, handedOver };
}

function renew(model: ReferenceModel, own: Seen, { user, ip }: UserLogin, named: Names | undefined): Given | undefined {
  try {
    return issue(model, own, named?.token, proofOf(model, own, 'login', { user, ip: ip ?? '' }));
  } catch (error) {
    if (error === Refused.with('session_required')) return undefined;
    throw error;
  }
}

function loginOf(run: Run, plan: LoginPlan & { readonly userId: string }): UserLogin;
function loginOf(run: Run, plan: LoginPlan): Login;
function loginOf({ journal, system, model }: Run, plan: LoginPlan): Login {
  const { userId, device, ip, unlessUsedFor } = plan;
  const replaced = plan.replaces === undefined ? undefined : pick(journal.handles, plan.replaces);
  return {
    user: userId === undefined ? undefined : system.account(userId),
    authentication: 'password',
    data: structuredClone(plan.data ?? {}),
    ip,
    device,
    admission: {
      ...system.limitOf(userId ?? ''),
      sharedFor: device === undefined ? undefined : model.settings.rotationGrace,
      replaces: replaced === undefined ? undefined : { id: replaced, unlessUsedFor },
    },
  };
}

/** What the library is asked for. */
function inputOf({ user, authentication, data, device, ip, admission: { sharedFor, replaces } }: Login) {
  return { user, authentication, data, device, client: { ip }, sharedFor, replaces };
}

/** Takes note of a session that was begun, shared or renewed. */
export function noteLogin({ journal }: Run, issued: IssuedSession, arrival?: Arrival) {
  journal.issued(issued, arrival);
  journal.opened(issued.session);
  return viewOfIssued(issued);
}
