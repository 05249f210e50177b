import { setTimeout as pause } from 'node:timers/promises';
import { BankClient, type Answer } from './bank-client.js';
import { RunningTime } from './running-time.js';

/** What a {@link FaultLoad} has seen. */
export interface LoadReport {
  /** How many requests were answered with which status. */
  readonly answers: Readonly<Record<string, number>>;
  /** The longest that a request took, in milliseconds, by status. */
  readonly slowest: Readonly<Record<string, number>>;
  /** Sessions whose login was acknowledged and that were not there later. */
  readonly lost: number;
  /** Sessions that were there after their logout was acknowledged. */
  readonly revived: number;
  /** Each answer that must not be: another user's session, a status that nobody promised. */
  readonly wrong: readonly string[];
}

export interface FaultLoadOptions {
  /** The nodes that requests go to, in turn. */
  readonly ports: readonly number[];
  /** @default 12 */
  readonly customers?: number;
  /** Of so many visits one ends without a logout, of a device that is remembered. @default none */
  readonly abandonEvery?: number;
  /** Milliseconds that a customer waits after an answer. @default 1 */
  readonly pace?: number;
}

const USERS = ['alice', 'bob', 'admin'];
const PACE = 5;
const VISIT = 8;

/**
 * Customers of the bank who do not stop: each signs in, looks who they are, changes something, signs out, and begins
 * again. A 503 is borne with; what no outage excuses is noted.
 */
export class FaultLoad {
  readonly #answers: Record<string, number> = {};
  readonly #slowest: Record<string, number> = {};
  readonly #wrong: string[] = [];
  readonly #customers: Promise<void>[];
  readonly #time = new RunningTime();
  #lost = 0;
  #revived = 0;
  #turn = 0;
  #isOver = false;

  constructor(private readonly options: FaultLoadOptions) {
    const { customers = 12 } = options;
    this.#customers = Array.from({ length: customers }, (_, i) => this.#keepVisiting(USERS[i % USERS.length]!));
  }

  /** How many answers of a status there have been. */
  count(status: number): number {
    return this.#answers[status] ?? 0;
  }

  /** Waits until there have been so many more answers of a status. */
  async until(status: number, more: number, patience = 20_000): Promise<void> {
    const goal = this.count(status) + more;
    for (const end = Date.now() + patience; this.count(status) < goal; await pause(PACE)) {
      if (Date.now() > end) {
        throw new Error(`no ${more} answers of ${status} within ${patience} ms: ${JSON.stringify(this.#report())}`);
      }
    }
  }

  /** Nobody begins anything any more. */
  end(): void {
    this.#isOver = true;
  }

  /** What has been seen, once the last customer has left. */
  async report(): Promise<LoadReport> {
    this.end();
    await Promise.all(this.#customers);
    this.#time.stop();
    return this.#report();
  }

  #report(): LoadReport {
    return {
      answers: this.#answers,
      slowest: this.#slowest,
      lost: this.#lost,
      revived: this.#revived,
      wrong: this.#wrong,
    };
  }

  async #keepVisiting(name: string): Promise<void> {
    const { ports, abandonEvery = Infinity } = this.options;
    for (let visit = 1; !this.#isOver; visit += 1) {
      const client = new BankClient(ports[0]!);
      const rememberMe = visit % abandonEvery === 0;
      const login = await this.#ask(client, () => client.tryLogin(name, { rememberMe }), [200]);
      if (login?.status === 200) await this.#visit(client, name, !rememberMe);
    }
  }

  async #visit(client: BankClient, name: string, signsOut: boolean): Promise<void> {
    for (let i = 0; i < VISIT && !this.#isOver; i += 1) {
      const look = await this.#ask(client, () => client.get('/api/me'), [200, 401]);
      if (look?.status === 401) {
        this.#lost += 1;
        return;
      }
      const { userId } = (look?.json ?? {}) as { userId?: string };
      if (look?.status === 200 && userId !== name) this.#wrong.push(`${name} was taken for ${userId}`);
      if (i % 4 === 3) {
        const body = { [`k${i % 3}`]: i };
        const change = await this.#ask(client, () => client.ask('PATCH', '/api/preferences', { body }), [200, 401]);
        if (change?.status === 401) this.#lost += 1;
      }
    }
    if (!signsOut) return;
    const { cookie } = client;
    const out = await this.#ask(client, () => client.post('/auth/logout'), [204]);
    if (out?.status !== 204) return;
    const after = await this.#ask(client, () => client.get('/api/me', { cookie }), [200, 401]);
    if (after?.status === 200) this.#revived += 1;
  }

  /** One request, its answer noted; undefined where the store was away. */
  async #ask(client: BankClient, send: () => Promise<Answer>, allowed: readonly number[]): Promise<Answer | undefined> {
    const { ports } = this.options;
    client.port = ports[this.#turn++ % ports.length]!;
    const startedAt = this.#time.elapsed;
    const answer = await send().catch((error: Error) => error);
    const took = this.#time.elapsed - startedAt;
    const status = answer instanceof Error ? answer.message : answer.status;
    this.#answers[status] = (this.#answers[status] ?? 0) + 1;
    this.#slowest[status] = Math.round(Math.max(this.#slowest[status] ?? 0, took));
    if (answer instanceof Error) {
      this.#wrong.push(answer.message);
      return undefined;
    }
    if (answer.status === 503) {
      if (answer.headers['retry-after'] === undefined) this.#wrong.push('a 503 without Retry-After');
      await pause(PACE);
      return undefined;
    }
    if (!allowed.includes(answer.status)) this.#wrong.push(`${answer.status} ${answer.text}`.slice(0, 200));
    await pause(this.options.pace ?? 1);
    return answer;
  }
}
