import { countCommands } from '../test/support/command-count.js';
import { CASES, type Case, type RequestKind } from './cases.ts';
import { median, type ForgedBurst, type MeasuredCase, type Results, type Rounds, type StoreWork } from './measured.ts';
import { Child } from './processes/child.ts';
import { ContenderServer, requestText, type Device } from './processes/contender-server.ts';
import { canPin } from './processes/cores.ts';
import type { LoadOrder, LoadResult } from './processes/load.ts';
import type { Stores } from './processes/stores.ts';
import type { ServerSpec } from './servers/server-spec.ts';

/** How long to measure. */
export interface Effort {
  readonly quick: boolean;
  readonly rounds: number;
  /** Milliseconds a case and round. */
  readonly window: number;
  readonly warmUp: number;
  /** Before each window: a server that has rested has nothing in the processor's caches. */
  readonly rewarm: number;
}

const DEVICES = 256;
/** Forged requests a second. */
const BURST = 20_000;
const CONNECTIONS = 32;
const COUNTED = 10 * DEVICES;
const MEMORY_USERS = 4000;
const SESSIONS_A_USER = 3;

const STATUS: Record<RequestKind, number> = { read: 200, act: 200, 'act-with-csrf': 200, forged: 401, login: 201 };

interface Running {
  readonly spec: ServerSpec;
  readonly databaseUrl: string;
  readonly devices: readonly Device[];
  server: ContenderServer;
}

/** Runs all cases against each other. */
export async function measure(stores: Stores, effort: Effort, log: (line: string) => void): Promise<Results> {
  const startedAt = new Date().toISOString();
  const bench = new Bench(stores, log);
  try {
    await bench.startServers(CASES);
    const rounds = await bench.runRounds(CASES, effort);
    log('counting what the stores are asked for');
    const cases: MeasuredCase[] = [];
    for (const each of CASES) {
      cases.push({ ...each, rounds: rounds.get(each)!, store: await bench.storeWorkOf(each) });
    }
    log('forged cookies, logouts, memory');
    const forgedBurst = await bench.forgedBurst(effort);
    const logout = await bench.logout();
    const bytesPerSession = await bench.bytesPerSession();
    const extras = { bytesPerSession, logout, forgedBurst };
    return {
      startedAt,
      quick: effort.quick,
      pinned: canPin,
      versions: { 'Node.js': process.versions.node, ...(await stores.versions()) },
      cases,
      extras,
    };
  } finally {
    await bench.stop();
  }
}

class Bench {
  readonly #running = new Map<string, Running>();
  readonly #load = startLoad();

  constructor(
    private readonly stores: Stores,
    private readonly log: (line: string) => void,
  ) {}

  async startServers(cases: readonly Case[]): Promise<void> {
    for (const { spec, kind } of cases) {
      const name = nameOf(spec, kind);
      if (this.#running.has(name)) continue;
      const databaseUrl = await this.stores.newDatabase();
      const server = await ContenderServer.start(spec, { redisUrl: this.stores.redisUrl, databaseUrl });
      // no user of another server's: each may have three sessions
      const devices = await loginAll(server, spec, `s${this.#running.size}u`);
      this.#running.set(name, { spec, databaseUrl, devices, server });
      this.log(`started ${name}`);
    }
  }

  async runRounds(cases: readonly Case[], { rounds, window, warmUp, rewarm }: Effort): Promise<Map<Case, Rounds>> {
    this.log('warming up');
    for (const each of cases) await this.#window(each, warmUp);
    const results = new Map<Case, Rounds>(cases.map((each) => [each, { throughput: [], cpu: [], p50: [], p99: [] }]));
    for (let round = 0; round < rounds; round++) {
      this.log(`round ${round + 1} of ${rounds}`);
      // there and back, so that a machine that gets slower or faster favours nobody
      for (const each of round % 2 === 0 ? cases : [...cases].reverse()) {
        await this.#window(each, rewarm);
        const { throughput, cpu, p50, p99 } = await this.#window(each, window);
        const into = results.get(each)!;
        into.throughput.push(throughput);
        into.cpu.push(cpu);
        into.p50.push(p50);
        into.p99.push(p99);
      }
    }
    return results;
  }

  /** What the store does for a request of this case, by the store's own count over ten requests a device. */
  async storeWorkOf({ spec, kind }: Case): Promise<StoreWork | undefined> {
    if (spec.store !== 'redis' && spec.store !== 'postgres') return undefined;
    const running = this.#of(spec, kind);
    // sessions of this moment: none becomes due for a touch while it is counted
    const texts = requestsOf(kind, await loginAll(running.server, spec, kind));
    const counted = Array.from({ length: COUNTED }, (_, index) => texts[index % texts.length]!);
    if (spec.store === 'redis') {
      await this.#once(running, kind, texts);
      const { sent, writes } = await countCommands(this.stores.redis, () => this.#once(running, kind, counted));
      return { roundTrips: sent / COUNTED, writes: writes / COUNTED };
    }
    // a start of the server and a request of each device, once without and once with what is counted
    const before = await this.#databaseWork(running, kind, texts);
    const after = await this.#databaseWork(running, kind, [...texts, ...counted]);
    return {
      roundTrips: (after.transactions - before.transactions) / COUNTED,
      writes: (after.rowsWritten - before.rowsWritten) / COUNTED,
    };
  }

  /**
   * Valid requests while {@link BURST} forged ones a second arrive, or as many as three quarters of a core take. A mixture
   * costs more than its parts, whatever they are: so in turn the same is done with requests for what is not there.
   */
  async forgedBurst({ window, rounds, warmUp }: Effort): Promise<ForgedBurst> {
    const running = this.#of({ contender: 'ours', adapter: 'fastify', store: 'redis' }, 'forged');
    const { port } = running.server;
    const common = { port, connections: CONNECTIONS, duration: window };
    const valid = { ...common, requests: requestsOf('read', running.devices), status: STATUS.read };
    const forged = { ...common, requests: requestsOf('forged', running.devices), status: STATUS.forged };
    const absent = { ...common, requests: [requestText('GET', '/not-there')], status: 404 };
    const charged = async (...orders: readonly LoadOrder[]): Promise<{ results: LoadResult[]; cpu: number }> => {
      const before = await running.server.cpu();
      const results = await this.#orders(...orders);
      return { results, cpu: (await running.server.cpu()) - before };
    };
    const alone = async (order: LoadOrder): Promise<{ rate: number; cpu: number }> => {
      const { results, cpu } = await charged(order);
      return { rate: rateOf(results[0]!), cpu: cpu / results[0]!.responses };
    };
    const beside = async (order: LoadOrder): Promise<Beside> => {
      await alone({ ...order, duration: warmUp });
      const { cpu } = await alone(order);
      const rate = Math.min(BURST, 750_000 / cpu);
      const all = await charged(valid, { ...order, connections: 4 * CONNECTIONS, rate });
      const [passed, flood] = all.results as [LoadResult, LoadResult];
      return {
        passed: rateOf(passed),
        flood: rateOf(flood),
        cpu: (all.cpu - flood.responses * cpu) / passed.responses,
      };
    };
    const found: ForgedBurst[] = [];
    for (let round = 0; round < rounds; round++) {
      const { rate: validAlone } = await alone(valid);
      const control = await beside(absent);
      const burst = await beside(forged);
      const validExpected = (burst.passed * burst.cpu) / control.cpu;
      found.push({ forgedPerSecond: burst.flood, validPerSecond: burst.passed, validExpected, validAlone });
    }
    const medianOf = (figure: (each: ForgedBurst) => number): number => median(found.map(figure));
    const validPerSecond = medianOf((each) => each.validPerSecond);
    return {
      forgedPerSecond: medianOf((each) => each.forgedPerSecond),
      validPerSecond,
      validExpected: validPerSecond / medianOf((each) => each.validPerSecond / each.validExpected),
      validAlone: medianOf((each) => each.validAlone),
    };
  }

  async logout(): Promise<Results['extras']['logout']> {
    const running = this.#of({ contender: 'ours', adapter: 'express', store: 'redis' }, 'login');
    const requests: string[] = [];
    for (let i = 0; i < COUNTED; i++) {
      requests.push(requestText('POST', '/logout', { device: await running.server.login(`leaving${i}`) }));
    }
    // the script is known to Redis from the first on
    const warmUp = requestText('POST', '/logout', { device: await running.server.login('leaving') });
    await this.#order({ port: running.server.port, requests: [warmUp], connections: 1, status: 204 });
    let cpu = 0;
    const { sent, writes } = await countCommands(this.stores.redis, async () => {
      const before = await running.server.cpu();
      await this.#order({ port: running.server.port, requests, connections: CONNECTIONS, status: 204 });
      cpu = ((await running.server.cpu()) - before) / COUNTED;
    });
    return { cpu, store: { roundTrips: sent / COUNTED, writes: writes / COUNTED } };
  }

  /** What a login leaves in Redis: the memory that Redis says it uses, before and after many of them. */
  async bytesPerSession(): Promise<Results['extras']['bytesPerSession']> {
    const measureOf = async (spec: ServerSpec): Promise<number> => {
      const { server } = this.#of(spec, 'login');
      const logins = Array.from({ length: SESSIONS_A_USER * MEMORY_USERS }, (_, index) =>
        requestText('POST', '/login', { body: { user: `user${index % MEMORY_USERS}` } }),
      );
      await this.stores.redis.flushall();
      const before = await this.#usedMemory();
      await this.#order({ port: server.port, requests: logins, connections: CONNECTIONS, status: STATUS.login });
      return ((await this.#usedMemory()) - before) / logins.length;
    };
    return {
      ours: await measureOf({ contender: 'ours', adapter: 'express', store: 'redis' }),
      connectRedis: await measureOf({ contender: 'express-session', adapter: 'express', store: 'redis' }),
    };
  }

  async stop(): Promise<void> {
    for (const { server } of this.#running.values()) await server.stop();
    await this.#load.stop();
  }

  #of(spec: ServerSpec, kind: RequestKind): Running {
    return this.#running.get(nameOf(spec, kind))!;
  }

  async #window(
    { spec, kind }: Case,
    duration: number,
  ): Promise<{ throughput: number; cpu: number; p50: number; p99: number }> {
    const { server, devices } = this.#of(spec, kind);
    const before = await server.cpu();
    const result = await this.#order({
      port: server.port,
      requests: requestsOf(kind, devices),
      connections: CONNECTIONS,
      duration,
      status: STATUS[kind],
    });
    const cpu = ((await server.cpu()) - before) / result.responses;
    return { throughput: (1000 * result.responses) / result.milliseconds, cpu, p50: result.p50, p99: result.p99 };
  }

  #once({ server }: Running, kind: RequestKind, requests: readonly string[]): Promise<LoadResult> {
    return this.#order({ port: server.port, requests, connections: CONNECTIONS, status: STATUS[kind] });
  }

  async #order(order: LoadOrder): Promise<LoadResult> {
    const [result] = await this.#orders(order);
    return result!;
  }

  /** Several at the same time. */
  async #orders(...orders: readonly LoadOrder[]): Promise<LoadResult[]> {
    const results = await this.#load.ask<LoadResult[]>(orders);
    for (const [index, { failures, responses }] of results.entries()) {
      if (failures > 0) throw new Error(`${failures} of ${responses} responses were no ${orders[index]!.status}`);
    }
    return results;
  }

  async #databaseWork(
    running: Running,
    kind: RequestKind,
    requests: readonly string[],
  ): Promise<{ transactions: number; rowsWritten: number }> {
    const { databaseUrl } = running;
    await running.server.stop();
    await this.stores.untilLeft(databaseUrl);
    const before = await this.stores.countOf(databaseUrl);
    running.server = await ContenderServer.start(running.spec, { redisUrl: this.stores.redisUrl, databaseUrl });
    await this.#once(running, kind, requests);
    await running.server.stop();
    await this.stores.untilLeft(databaseUrl);
    const after = await this.stores.countOf(databaseUrl);
    running.server = await ContenderServer.start(running.spec, { redisUrl: this.stores.redisUrl, databaseUrl });
    return {
      transactions: after.transactions - before.transactions,
      rowsWritten: after.rowsWritten - before.rowsWritten,
    };
  }

  async #usedMemory(): Promise<number> {
    return Number(/used_memory:(\d+)/.exec(await this.stores.redis.info('memory'))![1]);
  }
}

async function loginAll(server: ContenderServer, { contender }: ServerSpec, users: string): Promise<Device[]> {
  const devices: Device[] = [];
  for (let i = 0; i < DEVICES; i++) {
    devices.push(contender === 'bare' ? { cookie: `sid=${i}` } : await server.login(`${users}${i}`));
  }
  return devices;
}

/** Reads have a server to themselves: what else it ran would have a say in how its code is optimised. */
function nameOf({ contender, adapter, store }: ServerSpec, kind: RequestKind): string {
  return [adapter, contender, store, kind === 'read' ? 'reads' : 'others'].filter(Boolean).join(' ');
}

/** Valid requests a second beside a flood of others, and what one of them costs. */
interface Beside {
  readonly passed: number;
  readonly flood: number;
  readonly cpu: number;
}

function rateOf({ responses, milliseconds }: LoadResult): number {
  return (1000 * responses) / milliseconds;
}

function startLoad(): Child {
  return Child.start(new URL('./processes/load.js', import.meta.url), [], 'load');
}

function requestsOf(kind: RequestKind, devices: readonly Device[]): string[] {
  switch (kind) {
    case 'read':
      return devices.map((device) => requestText('GET', '/me', { device }));
    case 'forged':
      return devices.map(({ cookie }) => requestText('GET', '/me', { device: { cookie: forged(cookie) } }));
    case 'login':
      return devices.map((_, index) => requestText('POST', '/login', { body: { user: `login${index}` } }));
    default:
      return devices.map((device) => requestText('POST', `/${kind}`, { device }));
  }
}

/** The same cookie with one character of its ciphertext changed: it takes the whole way to find out. */
function forged(cookie: string): string {
  const at = cookie.indexOf('=') + 60;
  return cookie.slice(0, at) + (cookie[at] === 'A' ? 'B' : 'A') + cookie.slice(at + 1);
}
