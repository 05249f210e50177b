import { SessionAuthError, type IssuedSession } from 'nestjs-session-auth';
import type { Journal } from './journal.js';
import { viewOfSession } from './observation.js';
import type { ReferenceModel } from './reference-model.js';
import type { Names } from './reference-session.js';
import type { ApplicationNode, System } from './system.js';

/** The users of a run. */
export const USERS = ['ann', 'bob'] as const;

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
  /**
   * What it has to come to by the model, which does it as well: a value, or `Steps` to one where it takes several steps
   * of a store. Random names are taken from what really happened.
   */
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

/** The comparable form of an issued session. Its data is left out: requests in flight may share the object. */
export function viewOfIssued({ token, session }: IssuedSession): Names & { readonly session: object } {
  return { token, id: session.id, session: { ...viewOfSession(session), data: undefined } };
}

export type NodeChoice = 0 | 1;

export function nodeOf({ system }: Run, which: NodeChoice): ApplicationNode {
  return system.node(which);
}
