import { Session, SessionAuthError, type IssuedSession, type SessionUser } from 'nestjs-session-auth';
import { digestOf, markOfUser } from '../../libs/session-auth/src/crypto/session-token.js';
import { pick, type Arrival } from './journal.js';
import { nodeOf, started, type NodeChoice, type Operation, type Run } from './operation.js';
import { viewOfSeen, viewOfSession } from './observation.js';
import type { ReferenceModel } from './reference-model.js';
import { isLasting, issue, proofOf, resume as resumeInModel, seeRetired } from './reference-requests.js';
import type { Seen, Steps } from './reference-session.js';
import type { ApplicationNode } from './system.js';

/** A form in which the user proves who they are, and what it is for. */
export type Form = 'reauthentication' | 'credentials_changed';

/** What came of a request. */
interface Handled extends Resumed {
  /** The token that it was given for a proof: its answer carries this one. */
  readonly proved?: string;
}

/**
 * A request as over HTTP, by a token that may be an old one. It finds its session, and is given a successor of a token
 * that is due. One that sends a form is given another token; a form that was sent twice comes the second time by the
 * token that the first time has replaced.
 */
export function request(
  node: NodeChoice,
  index: number,
  details: { readonly form?: Form; readonly ip: string; readonly arrival: Arrival },
): Operation {
  return {
    name: `request(${index}, ${details.form ?? 'page'}, ${details.arrival})`,
    start: (run) => {
      const { journal } = run;
      const token = pick(journal.tokens, index);
      if (token === undefined) return undefined;
      const { arrival, ip } = details;
      const owner = journal.ownerOf(token);
      const user = owner === undefined ? undefined : run.system.account(owner);
      const proof = user && details.form && { form: details.form, user, ip };
      let opened: Session | undefined;
      return started(
        handle(nodeOf(run, node), token, owner, proof),
        (handled) => {
          if (handled === undefined) return undefined;
          opened = handled.session;
          noteHandled(run, handled, arrival);
          const view = viewOfSession(handled.session);
          return { ...handled, session: view, isLasting: nodeOf(run, node).reader.isLasting(handled.session) };
        },
        function* (model, actual: Omit<Handled, 'session'> | undefined): Steps<object | undefined> {
          const handled = yield* handleInModel(model, token, proof, actual);
          if (handled === undefined) return undefined;
          const { seen, ...rest } = handled;
          if (opened !== undefined) model.seen.set(opened, seen);
          return { ...rest, session: viewOfSeen(seen), isLasting: isLasting(model, seen) };
        },
      );
    },
  };
}

interface Proof {
  readonly form: Form;
  readonly user: SessionUser;
  readonly ip: string;
}

async function handle(
  node: ApplicationNode,
  token: string,
  owner: string | undefined,
  proof: Proof | undefined,
): Promise<Handled | undefined> {
  const resumed = await resume(node, token, owner);
  if (proof === undefined) return resumed;
  const session = resumed?.session ?? (await findRenewable(node, token, owner));
  if (session === undefined) return undefined;
  const { rotation } = node;
  const { form, user, ip } = proof;
  const client = { ip };
  const proved =
    form === 'credentials_changed'
      ? await rotation.credentialsChanged(session, client)
      : await rotation.reauthenticated(session, { user, authentication: 'password', client });
  if (proved === undefined) return resumed;
  return { ...resumed, session, proved: proved.token };
}

function* handleInModel(
  model: ReferenceModel,
  token: string,
  proof: Proof | undefined,
  actual: Omit<Handled, 'session'> | undefined,
): Steps<(Omit<Handled, 'session'> & { readonly seen: Seen }) | undefined> {
  const resumed = yield* resumeInModel(model, token, actual?.handedOver);
  const found = resumed && { seen: resumed.seen, handedOver: resumed.next };
  if (proof === undefined) return found;
  if (found === undefined) yield;
  const seen = found?.seen ?? seeRetired(model, token, ['renewable']);
  if (seen === undefined) return undefined;
  yield;
  const given = issue(model, seen, actual?.proved, proofOf(model, seen, proof.form, proof));
  return given === undefined ? found : { ...found, seen: given.seen, proved: given.token };
}

/** A session that a request has found. */
export interface Resumed {
  readonly session: Session;
  /** The successor that it was given. */
  readonly handedOver?: string;
}

/** What a request does first: it finds its session, and is given a successor of a token that is due. */
export async function resume(
  { reader, rotation }: ApplicationNode,
  token: string,
  owner: string | undefined,
): Promise<Resumed | undefined> {
  const found = await reader.read(digestOf(token), {}, { userMark: markOfUser(owner) });
  const session = found && (await reader.accept(found, {}));
  if (session === undefined || !reader.isRotationDue(session)) return session && { session };
  const handedOver = await unlessEnded(rotation.handOver(session));
  return handedOver === 'ended' ? undefined : { session, handedOver: handedOver?.token };
}

/** The session of a token that was taken at once a moment ago. */
export function findRetired(
  { reader }: ApplicationNode,
  token: string,
  owner: string | undefined,
): Promise<Session | undefined> {
  return reader.readRetired({ token, digest: digestOf(token), userMark: markOfUser(owner) }, {});
}

/** The session of one that a proof has taken. */
export async function findRenewable(
  node: ApplicationNode,
  token: string,
  owner: string | undefined,
): Promise<Session | undefined> {
  const session = await findRetired(node, token, owner);
  return session !== undefined && Session.foundBy(session).standing.kind === 'renewable' ? session : undefined;
}

/** What was issued, or that the session has ended. */
export async function unlessEnded(
  issuing: Promise<IssuedSession | undefined>,
): Promise<IssuedSession | 'ended' | undefined> {
  try {
    return await issuing;
  } catch (error) {
    if (error instanceof SessionAuthError && error.code === 'session_required') return 'ended';
    throw error;
  }
}

function noteHandled({ journal }: Run, { session, handedOver, proved }: Handled, arrival: Arrival): void {
  journal.opened(session);
  const last = proved ?? handedOver;
  if (last !== undefined) journal.issued({ token: last }, arrival);
  if (handedOver !== undefined) journal.overwritten(handedOver);
}

/** An answer arrives that was thought lost. */
export function lateAnswer(index: number): Operation {
  return {
    name: `lateAnswer(${index})`,
    start: ({ journal }) => {
      const answer = pick(journal.lost, index);
      if (answer === undefined) return undefined;
      journal.arrived(answer);
      return started(Promise.resolve(), Boolean, () => false);
    },
  };
}
