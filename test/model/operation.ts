import { Session, SessionAuthError, type IssuedSession, type SessionUser } from 'nestjs-session-auth';
import { digestOf } from '../../libs/session-auth/src/crypto/session-token.js';
import { difference, same, viewOfSession } from './observation.js';
import type { ReferenceModel } from './reference-model.js';
import { Refused, type Names } from './reference-session.js';
import type { ApplicationNode, System } from './system.js';

/** The users of a run. */
export const USERS = ['ann', 'bob'] as const;

/** A remembered login that has used its token and has yet to make its session. */
export interface PendingLogin {
  readonly userId: string;
  readonly deviceId: string;
  readonly authenticatedAt: number;
  readonly identity: Names;
}

/** What a run has come across: what operations choose their targets from. */
export class Journal {
  readonly accounts = new Map<string, SessionUser>();
  /** Requests that are open: each has found its session a while ago. */
  readonly requests: Session[] = [];
  readonly tokens: string[] = [];
  readonly deviceTokens: string[] = [];
  readonly handles: string[] = [];
  readonly deviceIds: string[] = [];
  pending: PendingLogin | undefined;

  account(userId: string): SessionUser {
    return this.accounts.get(userId) ?? { id: userId, roles: ['user'] };
  }

  /** A token and a session that have just been handed out. */
  issued({ token, session }: IssuedSession): void {
    if (!this.tokens.includes(token)) this.tokens.push(token);
    if (!this.handles.includes(session.id)) this.handles.push(session.id);
    this.requests.push(session);
  }

  /** The token that a request has found its session by. */
  foundBy(request: Session): string {
    return this.#tokenOf(Session.foundBy(request));
  }

  /** The token that was the session's when a request has found it. */
  present(request: Session): string {
    return this.#tokenOf(Session.recordOf(request).digest);
  }

  #tokenOf(digest: string): string {
    return this.tokens.find((token) => digestOf(token) === digest)!;
  }
}

/** A run: the application, and what was seen of it. */
export interface Run {
  readonly system: System;
  readonly journal: Journal;
  /** As it was before the operation. */
  readonly model: ReferenceModel;
}

/** What an operation came to. */
export type Outcome = { readonly value: unknown } | { readonly refused: string };

/** An operation that is under way. */
export interface Started {
  readonly outcome: Promise<Outcome>;
  /** What it has to come to by the model, which does it as well. Random names are taken from what really happened. */
  readonly expected: (model: ReferenceModel, actual: unknown) => unknown;
}

/** Something that a client or an operator does. */
export interface Operation {
  readonly name: string;
  /** Begins it, the store's call included, before this returns; undefined when there is nothing to do it to. */
  readonly start: (run: Run) => Started | undefined;
}

/** An operation under way: what it answers in the end is turned into something comparable. */
export function started<T>(
  answer: Promise<T>,
  view: (answer: T) => unknown,
  expected: (model: ReferenceModel, actual: never) => unknown,
): Started {
  const outcome = answer.then(
    (value) => ({ value: view(value) }),
    (error: unknown) => {
      if (error instanceof SessionAuthError && error.code !== 'session_store_unavailable')
        return { refused: error.code };
      throw error;
    },
  );
  return { outcome, expected: expected as Started['expected'] };
}

/** Has the model do what an operation did. Answers where the two differ. */
export function judge(operation: Started, model: ReferenceModel, outcome: Outcome): string | undefined {
  const expected = expectedOutcome(operation, model, 'value' in outcome ? outcome.value : undefined);
  return same(outcome, expected) ? undefined : difference('answer', outcome, expected);
}

function expectedOutcome(operation: Started, model: ReferenceModel, actual: unknown): Outcome {
  try {
    return { value: operation.expected(model, actual) };
  } catch (error) {
    if (error instanceof Refused) return { refused: error.code };
    throw error;
  }
}

/** The comparable form of an issued session. Its data is left out: requests in flight may share the object. */
export function viewOfIssued({ token, session }: IssuedSession): Names & { readonly session: object } {
  return { token, id: session.id, session: { ...viewOfSession(session), data: undefined } };
}

/** The one of an index, counted from the latest. */
export function pick<T>(from: readonly T[], index: number): T | undefined {
  return from[from.length - 1 - (index % from.length)];
}

/** An open request of a user, of an index. */
export function pickSignedIn({ journal }: Run, index: number): Session | undefined {
  return pick(
    journal.requests.filter(({ userId }) => userId !== undefined),
    index,
  );
}

export type NodeChoice = 0 | 1;

export function nodeOf({ system }: Run, which: NodeChoice): ApplicationNode {
  return system.node(which);
}
