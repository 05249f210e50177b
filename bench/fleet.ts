import type { Case } from './cases.ts';
import { Child } from './processes/child.ts';
import { ContenderServer, type Device } from './processes/contender-server.ts';
import type { LoadOrder, LoadResult } from './processes/load.ts';
import type { Stores } from './processes/stores.ts';
import { requestsOf, STATUS, type RequestKind } from './requests.ts';
import type { ServerSpec } from './servers/server-spec.ts';

export const DEVICES = 256;
export const CONNECTIONS = 32;

/** A server with the devices that have logged in to it. */
export interface Running {
  readonly spec: ServerSpec;
  readonly databaseUrl: string;
  readonly devices: readonly Device[];
  server: ContenderServer;
}

/** What a case did for some time. */
export interface Window {
  readonly responses: number;
  /** Requests a second. */
  readonly throughput: number;
  /** Microseconds of CPU of the server process a request. */
  readonly cpu: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

/** The server processes of all cases, and the load process that sends them requests. */
export class Fleet {
  readonly #running = new Map<string, Running>();
  #distantRedis: { readonly child: Child; readonly url: Promise<string> } | undefined;
  readonly #load = Child.start(new URL('./processes/load.js', import.meta.url), [], 'load');

  constructor(
    private readonly stores: Stores,
    private readonly log: (line: string) => void,
  ) {}

  async start(cases: readonly Case[]): Promise<void> {
    for (const { spec, kind } of cases) {
      const name = nameOf(spec, kind);
      if (this.#running.has(name)) continue;
      const databaseUrl = await this.stores.newDatabase();
      const server = await this.#startServer(spec, databaseUrl);
      // no user of another server's: each may have three sessions
      const devices = await this.loginAll(server, spec, `s${this.#running.size}u`);
      this.#running.set(name, { spec, databaseUrl, devices, server });
      this.log(`started ${name}`);
    }
  }

  async loginAll(server: ContenderServer, { contender }: ServerSpec, users: string): Promise<Device[]> {
    const devices: Device[] = [];
    for (let i = 0; i < DEVICES; i++) {
      devices.push(contender === 'bare' ? { cookie: `sid=${i}` } : await server.login(`${users}${i}`));
    }
    return devices;
  }

  /** The server that serves requests of this kind. */
  of(spec: ServerSpec, kind: RequestKind): Running {
    return this.#running.get(nameOf(spec, kind))!;
  }

  /** Loads one case for some milliseconds. */
  async window({ spec, kind, connections = CONNECTIONS }: Case, duration: number): Promise<Window> {
    const { server, devices } = this.of(spec, kind);
    const before = await server.cpu();
    const { responses, milliseconds, p50, p99 } = await this.send({
      port: server.port,
      requests: requestsOf(kind, devices),
      connections,
      duration,
      status: STATUS[kind],
    });
    const cpu = ((await server.cpu()) - before) / responses;
    return { responses, throughput: (1000 * responses) / milliseconds, cpu, p50, p99 };
  }

  /** Sends each of these requests once. */
  sendOnce({ server }: Running, kind: RequestKind, requests: readonly string[]): Promise<LoadResult> {
    return this.send({ port: server.port, requests, connections: CONNECTIONS, status: STATUS[kind] });
  }

  async send(order: LoadOrder): Promise<LoadResult> {
    const [result] = await this.sendTogether(order);
    return result!;
  }

  /** Several at the same time. */
  async sendTogether(...orders: readonly LoadOrder[]): Promise<LoadResult[]> {
    const results = await this.#load.ask<LoadResult[]>(orders);
    for (const [index, { failures, responses }] of results.entries()) {
      if (failures > 0) throw new Error(`${failures} of ${responses} responses were no ${orders[index]!.status}`);
    }
    return results;
  }

  /** Runs something while a server is stopped, with all its connections to the database closed. */
  async whileStopped<T>(running: Running, look: () => Promise<T>): Promise<T> {
    await running.server.stop();
    await this.stores.untilLeft(running.databaseUrl);
    const found = await look();
    running.server = await this.#startServer(running.spec, running.databaseUrl);
    return found;
  }

  async stop(): Promise<void> {
    for (const { server } of this.#running.values()) await server.stop();
    await this.#distantRedis?.child.stop();
    await this.#load.stop();
  }

  async #startServer(spec: ServerSpec, databaseUrl: string): Promise<ContenderServer> {
    const { mariaDbUrl } = this.stores;
    const redisUrl = spec.redisDelay === undefined ? this.stores.redisUrl : await this.#redisBehind(spec.redisDelay);
    return ContenderServer.start(spec, { redisUrl, databaseUrl, mariaDbUrl });
  }

  /** The address of Redis by way of a process that delays: the same delay for all cases of a run. */
  #redisBehind(delay: number): Promise<string> {
    if (this.#distantRedis !== undefined) return this.#distantRedis.url;
    const address = new URL(this.stores.redisUrl);
    const child = Child.start(new URL('./processes/delay.js', import.meta.url), [address.port, String(delay)], 'load');
    const url = child.next<{ port: number }>().then(({ port }) => {
      address.port = String(port);
      return address.href;
    });
    this.#distantRedis = { child, url };
    return url;
  }
}

/** Reads have a server to themselves: what else it ran would have a say in how its code is optimised. */
function nameOf(spec: ServerSpec, kind: RequestKind): string {
  const { contender, adapter, store, client, build, nearCache, redisDelay } = spec;
  const place = redisDelay !== undefined && `${redisDelay} ms away`;
  const memory = nearCache && 'near-cache';
  return [adapter, contender, build?.name, store, client, place, memory, kind === 'read' ? 'reads' : 'others']
    .filter(Boolean)
    .join(' ');
}
