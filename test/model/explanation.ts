import { hash } from 'node:crypto';
import { difference, eventDifference, fieldsOf, same } from './observation.js';
import type { SessionEvent } from 'nestjs-session-auth';
import type { Outcome, Started } from './operation.js';
import type { ReferenceModel } from './reference-model.js';
import { Refused, type Steps } from './reference-session.js';

/** What operations came to, together. */
export interface Happened {
  readonly operations: readonly Started[];
  /** One for each operation. */
  readonly outcomes: readonly Outcome[];
  readonly heard: readonly SessionEvent[];
}

/** The model after some order of steps, or where it comes to something else than what has happened. */
export type Explanation = { readonly model: ReferenceModel } | { readonly difference: string };

/** Beyond these, operations are taken for unexplained. */
const MOST_ORDERS = 100_000;

/**
 * All that operations which ran at the same time may have come to, whichever order their steps took: first one whole
 * operation after the other, then a step of one and a step of another. Every order begins with a copy of the model; a
 * single operation, which has only one, with the model itself. An order that comes to a state which another one has
 * come to is not followed any further: most steps only read, and come to the same in any order.
 */
export function* explanations(before: ReferenceModel, happened: Happened): Generator<Explanation> {
  const { operations, outcomes } = happened;
  const untried: number[][] = [[]];
  const untriedWithin: number[][] = [];
  const next = (): number[] | undefined => untried.pop() ?? untriedWithin.pop();
  const reached = new Set<string>();
  let tried = 0;
  for (let order = next(); order !== undefined && tried < MOST_ORDERS; order = next(), tried += 1) {
    const model = operations.length === 1 ? before : before.clone();
    model.events = [];
    model.unnamed = unnamed(happened);
    const underWay = operations.map((operation, place) => new UnderWay(operation, model, outcomes[place]!));
    const isNew = (): boolean => {
      const size = reached.size;
      return operations.length === 1 || reached.add(stateOf(model, underWay)).size > size;
    };
    for (const place of order) underWay[place]!.step();
    if (!isNew()) continue;
    let isFollowed = true;
    while (isFollowed && differenceOf(underWay, model, happened) === undefined) {
      const [first, ...others] = underWay.flatMap(({ isOver }, place) => (isOver ? [] : [place]));
      if (first === undefined) break;
      const inTheMidst = underWay.some(({ hasBegun, isOver }) => hasBegun && !isOver);
      (inTheMidst ? untriedWithin : untried).push(...others.map((other) => [...order, other]));
      underWay[first]!.step();
      order.push(first);
      isFollowed = isNew();
    }
    if (!isFollowed) continue;
    const difference =
      differenceOf(underWay, model, happened) ?? eventDifference(happened.heard, model.events, model.now);
    yield difference === undefined ? { model } : { difference };
  }
}

/** Handles of sessions that were begun, and that no answer names. */
function unnamed({ heard, outcomes }: Happened): string[] {
  const begun = heard.flatMap((event) => (event.type === 'session.created' ? event.sessionId : []));
  if (begun.length === 0) return begun;
  const answers = JSON.stringify(outcomes);
  return begun.filter((id) => !answers.includes(id));
}

/** Where an order has come to something that has not happened. */
function differenceOf(
  underWay: readonly UnderWay[],
  { events, now }: ReferenceModel,
  { heard }: Happened,
): string | undefined {
  const wrong = underWay.find(({ difference }) => difference !== undefined);
  if (wrong !== undefined) return wrong.difference;
  if (underWay.length === 1) return undefined;
  const unheard = events.some(({ fields, optional }) => {
    const times = (all: readonly object[]): number => all.filter((each) => same(each, fields)).length;
    return !optional && times(events.map((event) => event.fields)) > times(heard.map(fieldsOf));
  });
  return unheard ? eventDifference(heard, events, now) : undefined;
}

/** All that what comes next depends on: the model, and what each operation has found there. */
function stateOf(model: ReferenceModel, underWay: readonly UnderWay[]): string {
  return [fingerprintOf(model), ...underWay.map(({ found, isOver }) => `${found}${isOver}`)].join();
}

function fingerprintOf({ sessions, devices, events, unnamed }: ReferenceModel): string {
  return hash('sha1', JSON.stringify([sessions, devices.all, events, unnamed]));
}

/** An operation that the model does, step by step. */
class UnderWay {
  hasBegun = false;
  isOver = false;
  /** Where it came to something else than what has happened. */
  difference: string | undefined;
  /** Digest of the model as it was at each of its steps: what it knows by now. */
  found = '';
  #steps: Steps<unknown> | undefined;

  constructor(
    private readonly operation: Started,
    private readonly model: ReferenceModel,
    private readonly outcome: Outcome,
  ) {}

  step(): void {
    this.hasBegun = true;
    this.found = hash('sha1', this.found + fingerprintOf(this.model));
    const expected = this.#next();
    if (expected === undefined) return;
    this.isOver = true;
    if (!same(this.outcome, expected)) this.difference = difference('answer', this.outcome, expected);
  }

  /** Undefined: it has not come to anything yet. */
  #next(): Outcome | undefined {
    try {
      if (this.#steps === undefined) {
        const answer = this.operation.expected(this.model, 'value' in this.outcome ? this.outcome.value : undefined);
        if (!isSteps(answer)) return { value: answer };
        this.#steps = answer;
      }
      const { done, value } = this.#steps.next();
      return done === true ? { value } : undefined;
    } catch (error) {
      if (error instanceof Refused) return { refused: error.code };
      throw error;
    }
  }
}

function isSteps(answer: unknown): answer is Steps<unknown> {
  return typeof answer === 'object' && answer !== null && 'next' in answer && Symbol.iterator in answer;
}
