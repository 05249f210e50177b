import fc from 'fast-check';
import { explanations, type Happened } from './explanation.js';
import { Journal } from './journal.js';
import { differenceFrom, insideDifference, observe } from './observation.js';
import { USERS, type Operation } from './operation.js';
import { rounds, settings, type Round } from './operation-arbitraries.js';
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
  /** Where the sequences come from. @default another one each time, or `MODEL_SEED` */
  readonly seed?: number;
  /** Whether a sequence that fails is made as short as possible. @default true */
  readonly shrinks?: boolean;
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
  { runs, length = 30, looks = 12, seed, shrinks = true }: ModelCheck,
): Promise<void> {
  const sequence = fc.commands<Running, Running, false>([rounds.map((each) => new Step(each))], {
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
    numRuns: seed === undefined ? (numberFrom('MODEL_RUNS') ?? runs) : runs,
    seed: seed ?? numberFrom('MODEL_SEED'),
    endOnFailure: !shrinks,
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

  /** Begins operations at the same time, and keeps the model that explains what they come to. */
  async runAtOnce(given: readonly Operation[]): Promise<void> {
    const operations = given.flatMap((operation) => operation.start(this) ?? []);
    if (operations.length === 0) return;
    const outcomes = await Promise.all(operations.map(({ outcome }) => outcome));
    this.journal.rest();
    const heard = this.system.heard;
    this.system.heard = [];
    await this.#explain({ operations, outcomes, heard });
  }

  async #explain(happened: Happened): Promise<void> {
    const differences: string[] = [];
    let seen: Awaited<ReturnType<typeof observe>> | undefined;
    for (const explanation of explanations(this.model, happened)) {
      if ('difference' in explanation) {
        differences.push(explanation.difference);
        continue;
      }
      const { model } = explanation;
      seen ??= await this.#look(model, this.journal.allTokens.slice(-this.looks));
      const difference = differenceFrom(model, seen);
      if (difference === undefined) {
        this.model = model;
        return;
      }
      differences.unshift(difference);
    }
    throw new Error([...new Set(differences)].slice(0, 8).join('\n'));
  }

  async lookAtAll(): Promise<void> {
    const difference = differenceFrom(this.model, await this.#look(this.model, this.journal.allTokens));
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
  constructor(private readonly round: Round) {}

  check(): boolean {
    return true;
  }

  async run(running: Running): Promise<void> {
    for (const operations of this.round) await running.runAtOnce(operations);
  }

  toString(): string {
    return this.round.map((operations) => operations.map(({ name }) => name).join(' ∥ ')).join('; ');
  }
}

function numberFrom(variable: string): number | undefined {
  const text = process.env[variable];
  return text === undefined || text === '' ? undefined : Number(text);
}
