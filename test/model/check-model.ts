import fc from 'fast-check';
import { differenceFrom, eventDifference, insideDifference, observe } from './observation.js';
import { Journal, judge, USERS, type Operation, type Outcome, type Started } from './operation.js';
import { operations, settings } from './operation-arbitraries.js';
import { ReferenceModel } from './reference-model.js';
import { System, type Backend } from './system.js';

/** How a check goes about it. */
export interface ModelCheck {
  /** How many sequences, unless the environment says otherwise (`MODEL_RUNS`). */
  readonly runs: number;
  /** The most operations of a sequence. @default 30 */
  readonly length?: number;
  /** How many tokens are looked at after each operation, the latest; at the end all are. @default 12 */
  readonly looks?: number;
}

/** Where a run begins. Far from today, so that a store that asks its own clock is found out. */
const STARTS_AT = Date.UTC(2024, 1, 29, 12);

/**
 * Runs random sequences of operations against a store and against the reference model, and compares all that can be
 * seen after each: answers, errors, events, what tokens find, lists, devices. Rejects with the shortest sequence found
 * that tells them apart, and the seed and path that lead to it.
 *
 * `MODEL_RUNS=20000` runs as many sequences instead, `MODEL_SEED=…` those of a seed that a failure has named.
 */
export async function checkModel(
  open: () => Promise<Backend>,
  { runs, length = 30, looks = 12 }: ModelCheck,
): Promise<void> {
  const sequence = fc.commands<Running, Running, false>([operations.map((each) => new Step(each))], {
    maxCommands: length,
    size: 'max',
  });
  const property = fc.asyncProperty(settings, sequence, async (given, steps) => {
    const running = new Running(
      new System(await open(), given, STARTS_AT),
      new ReferenceModel(given, STARTS_AT),
      looks,
    );
    await fc.asyncModelRun(() => ({ model: running, real: running }), steps);
    await running.lookAtAll();
  });
  const details = await fc.check(property, {
    numRuns: numberFrom('MODEL_RUNS') ?? runs,
    seed: numberFrom('MODEL_SEED'),
  });
  if (!details.failed) return;
  throw new Error(`${await fc.asyncDefaultReportMessage(details)}\n\nAgain: MODEL_SEED=${details.seed}`, {
    cause: details.errorInstance,
  });
}

/** A sequence that is being run. */
class Running {
  readonly journal = new Journal();

  constructor(
    readonly system: System,
    public model: ReferenceModel,
    private readonly looks: number,
  ) {}

  start(given: readonly Operation[]): Started[] {
    return given.flatMap((operation) => operation.start(this) ?? []);
  }

  /** Keeps the model that explains what happened: some order of the operations has to. */
  async explain(operations: readonly Started[], outcomes: readonly Outcome[]): Promise<void> {
    const heard = this.system.heard;
    this.system.heard = [];
    const candidates: ReferenceModel[] = [];
    const differences: string[] = [];
    for (const order of permutations(operations.map((_, place) => place))) {
      // of several orders each begins with the model as it was
      const model = operations.length === 1 ? this.model : this.model.clone();
      model.events = [];
      const found = order.map((place) => judge(operations[place]!, model, outcomes[place]!));
      found.push(eventDifference(heard, model.events, model.now));
      const difference = found.filter((each) => each !== undefined).join('\n');
      if (difference === '') candidates.push(model);
      else differences.push(difference);
    }
    if (candidates.length > 0) {
      const tokens = this.journal.tokens.slice(-this.looks);
      const seen = await this.#look(candidates[0]!, tokens);
      for (const model of candidates) {
        const difference = differenceFrom(model, seen);
        if (difference === undefined) {
          this.model = model;
          return;
        }
        differences.unshift(difference);
      }
    }
    throw new Error(differences[0]);
  }

  async lookAtAll(): Promise<void> {
    const difference = differenceFrom(this.model, await this.#look(this.model, this.journal.tokens));
    if (difference !== undefined) throw new Error(difference);
    const inside = insideDifference(this.model, await this.system.backend.inside());
    if (inside !== undefined) throw new Error(inside);
  }

  async #look(model: ReferenceModel, tokens: readonly string[]): Promise<Awaited<ReturnType<typeof observe>>> {
    const { expiresByItself } = this.system.backend;
    // a list takes away what has expired there: it is left alone where an event may still be due
    const users = USERS.filter(
      (user) => !expiresByItself || !model.sessions.some((each) => each.userId === user && !model.isLive(each)),
    );
    return observe(this.system, model, { users, tokens });
  }
}

class Step implements fc.AsyncCommand<Running, Running> {
  constructor(private readonly operations: readonly Operation[]) {}

  check(): boolean {
    return true;
  }

  async run(running: Running): Promise<void> {
    const started = running.start(this.operations);
    if (started.length === 0) return;
    await running.explain(started, await Promise.all(started.map(({ outcome }) => outcome)));
  }

  toString(): string {
    const names = this.operations.map(({ name }) => name);
    return names.length === 1 ? names[0]! : `at once: ${names.join(' ∥ ')}`;
  }
}

function permutations<T>(of: readonly T[]): T[][] {
  if (of.length <= 1) return [[...of]];
  return of.flatMap((first, place) => permutations(of.toSpliced(place, 1)).map((rest) => [first, ...rest]));
}

function numberFrom(variable: string): number | undefined {
  const text = process.env[variable];
  return text === undefined || text === '' ? undefined : Number(text);
}
