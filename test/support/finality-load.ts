import { setTimeout as pause } from 'node:timers/promises';
import { signInAs } from 'nestjs-session-auth/testing';
import type { Bank } from './bank.js';
import { send } from './bank-client.js';
import type { FinalityHistory, SeenRequest } from './finality-history.js';
import { until } from './patience.js';

/** Milliseconds between requests by a session, besides those that follow its end. */
const PAUSE = 50;

/** The node that sessions are used at. */
export interface UsedNode {
  readonly port: number;
  /** How often it has read a session from the store, or more. @default unknown */
  readonly reads?: number;
}

interface UsedSession {
  readonly id: string;
  readonly cookie: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Sessions that are in use at one node while another one ends them. */
export class FinalityLoad {
  readonly #ends = new Map<string, number>();
  readonly #requests: SeenRequest[] = [];
  readonly #waits: number[] = [];
  /** The requests that follow an end. */
  readonly #following: Promise<unknown>[] = [];
  /** Those of the present round. */
  #sessions: readonly UsedSession[] = [];

  /** The node that ends the sessions: another one than they were made at, if it is assigned. */
  ender: Pick<Bank, 'port'>;

  /**
   * @param here makes sessions and ends them
   * @param endsAtOnce so many sessions end at the same time. @default 1
   */
  constructor(
    private readonly here: Bank,
    private readonly there: UsedNode,
    private readonly endsAtOnce = 1,
  ) {
    this.ender = here;
  }

  /** How long the ends took, in milliseconds: the longest and the median. */
  get waits(): { readonly longest: number; readonly median: number } {
    const sorted = [...this.#waits].sort((one, other) => one - other).map(Math.round);
    return { longest: sorted.at(-1) ?? 0, median: sorted[Math.floor(sorted.length / 2)] ?? 0 };
  }

  get history(): FinalityHistory {
    return { ends: this.#ends, requests: this.#requests };
  }

  /**
   * Uses some new sessions, and logs them out over HTTP. From the answer on, a session is used again without a
   * pause as long as it is let pass. Goes on until each was refused, and all is healed.
   *
   * @param begin what breaks, once all sessions are in memory
   * @param heal when all have ended; it may have every session used once more at a moment of its own
   */
  async round(count: number, begin: () => unknown, heal: (useAll: () => Promise<unknown>[]) => unknown): Promise<void> {
    const sessions = await Promise.all(
      Array.from({ length: count }, async (): Promise<UsedSession> => {
        const signedIn = (): ReturnType<typeof signInAs> => signInAs(this.here.app, 'alice@example.com');
        const { cookie, headers, session } = await repeated(signedIn);
        return { id: session.id, cookie, headers };
      }),
    );
    this.#sessions = sessions;
    // the node may still suffer from the round before
    await Promise.all(sessions.map(({ id, cookie }) => until(() => this.#isServedFromMemory(id, cookie))));
    let isHealed = false;
    const using = sessions.map(async ({ id, cookie }) => {
      for (let isRefused = false; !isRefused || !isHealed;) {
        const hasEnded = this.#ends.has(id);
        isRefused = (await this.#use(id, cookie)) === 401 && hasEnded;
        await pause(PAUSE);
      }
    });
    await begin();
    for (let from = 0; from < sessions.length; from += this.endsAtOnce) {
      await Promise.all(sessions.slice(from, from + this.endsAtOnce).map((session) => this.#end(session)));
    }
    let late: Promise<unknown>[] = [];
    await heal(() => (late = sessions.map(({ id, cookie }) => this.#use(id, cookie))));
    isHealed = true;
    await Promise.all([...using, ...late, ...this.#following.splice(0)]);
  }

  /** As {@link round}, several times. */
  async rounds(times: number, ...round: Parameters<FinalityLoad['round']>): Promise<void> {
    for (let done = 0; done < times; done += 1) await this.round(...round);
  }

  /**
   * Ends those sessions of the round again whose end the store has lost: a node without a near-cache serves them. Only
   * the second end counts then. Returns how many there are.
   *
   * @param plain the node without a near-cache
   */
  async endLost(plain: Pick<Bank, 'port'>): Promise<number> {
    let lost = 0;
    for (const session of this.#sessions) {
      const { id, cookie } = session;
      const { status } = await repeated(() => send(plain.port, 'GET', '/api/me', { cookie }));
      if (status !== 200 || !this.#ends.has(id)) continue;
      lost += 1;
      await this.#end(session);
    }
    return lost;
  }

  async #isServedFromMemory(session: string, cookie: string): Promise<boolean> {
    if ((await this.#use(session, cookie)) !== 200) return false;
    const { reads } = this.there;
    return (await this.#use(session, cookie)) === 200 && this.there.reads === reads;
  }

  async #end({ id, cookie, headers }: UsedSession): Promise<void> {
    const logOut = async (): Promise<number> => {
      const since = performance.now();
      const { status } = await send(this.ender.port, 'POST', '/auth/logout', { headers });
      if (status !== 204) throw new Error(`a logout was answered with ${status}`);
      return performance.now() - since;
    };
    const wait = await repeated(logOut);
    this.#ends.set(id, performance.now());
    this.#waits.push(wait);
    this.#following.push(this.#useUp(id, cookie));
  }

  /** Uses a session without a pause, as long as it is let pass. */
  async #useUp(session: string, cookie: string): Promise<void> {
    while ((await this.#use(session, cookie)) === 200);
  }

  async #use(session: string, cookie: string): Promise<number | undefined> {
    const sent = performance.now();
    const status = await send(this.there.port, 'GET', '/api/me', { cookie }).then(
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
