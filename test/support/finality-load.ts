import { setTimeout as pause } from 'node:timers/promises';
import { signInAs } from 'nestjs-session-auth/testing';
import type { Bank } from './bank.js';
import { send } from './bank-client.js';
import type { FinalityHistory, SeenRequest } from './finality-history.js';
import { until } from './patience.js';

/** Milliseconds between requests by a session: while something breaks, and after a failure. */
const PAUSE = 20;

/** Milliseconds between requests by a session that was refused. One that comes back to life is found by the next. */
const PAUSE_AFTER_END = 100;

/** Sessions that are in use at one node while another one ends them. */
export class FinalityLoad {
  readonly #ends = new Map<string, number>();
  readonly #requests: SeenRequest[] = [];
  readonly #waits: number[] = [];

  /**
   * @param here ends sessions
   * @param port of the node that they are used at
   * @param atOnce so many sessions end at the same time. @default 1
   */
  constructor(
    private readonly here: Bank,
    private readonly port: number,
    private readonly atOnce = 1,
  ) {}

  /** How long the ends took, in milliseconds: the longest and the median. */
  get waits(): { readonly longest: number; readonly median: number } {
    const sorted = [...this.#waits].sort((one, other) => one - other).map(Math.round);
    return { longest: sorted.at(-1) ?? 0, median: sorted[Math.floor(sorted.length / 2)] ?? 0 };
  }

  get history(): FinalityHistory {
    return { ends: this.#ends, requests: this.#requests };
  }

  /**
   * Uses some new sessions, and logs them out over HTTP. From the first end on, a session that is let pass is used
   * again without a pause. Goes on until each was refused, and all is healed.
   *
   * @param begin what breaks, once all sessions are in memory
   * @param heal when all have ended; it may have every session used once more at a moment of its own
   */
  async round(count: number, begin: () => unknown, heal: (useAll: () => Promise<unknown>[]) => unknown): Promise<void> {
    const sessions = await Promise.all(
      Array.from({ length: count }, async () => {
        const signedIn = (): ReturnType<typeof signInAs> => signInAs(this.here.app, 'alice@example.com');
        const { cookie, headers, session } = await repeated(signedIn);
        return { id: session.id, cookie, headers };
      }),
    );
    for (const { id, cookie } of sessions) {
      // the node may still suffer from the round before
      await until(async () => (await this.#use(id, cookie)) === 200);
      await this.#use(id, cookie);
    }
    let hasBegun = false;
    let isHealed = false;
    const using = sessions.map(async ({ id, cookie }) => {
      for (let isRefused = false; !isRefused || !isHealed;) {
        const hasEnded = this.#ends.has(id);
        const status = await this.#use(id, cookie);
        isRefused = status === 401 && hasEnded;
        if (isRefused) await pause(PAUSE_AFTER_END);
        else if (!hasBegun || status !== 200) await pause(PAUSE);
      }
    });
    await begin();
    hasBegun = true;
    for (let from = 0; from < sessions.length; from += this.atOnce) {
      await Promise.all(sessions.slice(from, from + this.atOnce).map(({ id, headers }) => this.#end(id, headers)));
    }
    let late: Promise<unknown>[] = [];
    await heal(() => (late = sessions.map(({ id, cookie }) => this.#use(id, cookie))));
    isHealed = true;
    await Promise.all([...using, ...late]);
  }

  /** As {@link round}, several times. */
  async rounds(times: number, ...round: Parameters<FinalityLoad['round']>): Promise<void> {
    for (let done = 0; done < times; done += 1) await this.round(...round);
  }

  async #end(session: string, headers: Readonly<Record<string, string>>): Promise<void> {
    const logOut = async (): Promise<number> => {
      const since = performance.now();
      const { status } = await send(this.here.port, 'POST', '/auth/logout', { headers });
      if (status !== 204) throw new Error(`a logout was answered with ${status}`);
      return performance.now() - since;
    };
    const wait = await repeated(logOut);
    this.#ends.set(session, performance.now());
    this.#waits.push(wait);
  }

  async #use(session: string, cookie: string): Promise<number | undefined> {
    const sent = performance.now();
    const status = await send(this.port, 'GET', '/api/me', { cookie }).then(
      (answer) => answer.status,
      () => undefined,
    );
    this.#requests.push({ session, sent, isAdmitted: status === 200 });
    return status;
  }
}

/** Does what a store refused at first, as a node does that loses its master: only what was acknowledged counts. */
async function repeated<T>(operation: () => Promise<T>): Promise<T> {
  let done: { readonly answer: T } | undefined;
  await until(async () => {
    done = await operation().then(
      (answer) => ({ answer }),
      () => undefined,
    );
    return done !== undefined;
  });
  return done!.answer;
}
