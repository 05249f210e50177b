import { connect } from 'node:net';
import { setPriority } from 'node:os';
import { isWhole } from './http-response.ts';

/*
 * The load process: on each message, a list of orders that it carries out at the same time, it sends HTTP/1.1 requests
 * over keep-alive connections, one at a time on each, and replies with the results. Requests arrive as finished text,
 * so that it spends as little time as possible on them.
 */

/** What to send, to whom, how. */
export interface LoadOrder {
  readonly port: number;
  /** Texts of requests, taken in turn. */
  readonly requests: readonly string[];
  readonly connections: number;
  /** Milliseconds; undefined: each request once. */
  readonly duration?: number;
  /** At most so many requests a second; undefined: each connection sends its next one when the last was answered. */
  readonly rate?: number;
  /** The status that each response must have. */
  readonly status: number;
}

/** What came of it. */
export interface LoadResult {
  readonly responses: number;
  /** Responses with another status than asked for. */
  readonly failures: number;
  readonly milliseconds: number;
  /** Latencies in milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

async function run({ port, requests, connections, duration, rate = Infinity, status }: LoadOrder): Promise<LoadResult> {
  const texts = requests.map((text) => Buffer.from(text, 'latin1'));
  const latencies: number[] = [];
  const startedAt = performance.now();
  const end = duration === undefined ? Infinity : startedAt + duration;
  let sent = 0;
  let failures = 0;
  const waiting: (() => void)[] = [];

  const next = (): Buffer | undefined => {
    if (duration === undefined ? sent >= texts.length : performance.now() >= end) return undefined;
    return texts[sent++ % texts.length];
  };
  const connection = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1');
      let received = '';
      let askedAt = 0;
      const ask = (): void => {
        const text = next();
        if (text === undefined) {
          socket.destroy();
          resolve();
          return;
        }
        askedAt = performance.now();
        socket.write(text);
      };
      socket.setNoDelay(true);
      socket.once('error', reject);
      const askInTurn = rate === Infinity ? ask : (): void => void waiting.push(ask);
      socket.once('connect', askInTurn);
      socket.on('data', (chunk: Buffer) => {
        received += chunk.toString('latin1');
        if (!isWhole(received)) return;
        latencies.push(performance.now() - askedAt);
        if (Number(received.slice(9, 12)) !== status) failures += 1;
        received = '';
        askInTurn();
      });
    });
  const rest = keepAwake(() => {
    const elapsed = performance.now() - startedAt;
    const due = elapsed >= (duration ?? Infinity) ? waiting.length : (elapsed / 1000) * rate - sent;
    for (const ask of waiting.splice(0, Math.max(due, 0))) ask();
  });
  await Promise.all(Array.from({ length: connections }, connection));
  rest();

  latencies.sort((a, b) => a - b);
  const at = (share: number): number => latencies[Math.floor((latencies.length - 1) * share)] ?? NaN;
  return {
    responses: latencies.length,
    failures,
    milliseconds: performance.now() - startedAt,
    p50: at(0.5),
    p99: at(0.99),
  };
}

/**
 * Who writes to a process that sleeps is charged for waking it, 10 to 15 µs a response on a virtual machine. A load
 * that sleeps whenever the server is slower than itself would charge that to all servers but the fastest.
 */
function keepAwake(eachTurn: () => void): () => void {
  let isOver = false;
  const turn = (): void => {
    eachTurn();
    if (!isOver) setImmediate(turn);
  };
  turn();
  return () => {
    isOver = true;
  };
}

// the stores, on the same core, come first
setPriority(19);

process.on(
  'message',
  (orders: readonly LoadOrder[]) => void Promise.all(orders.map(run)).then((results) => process.send!(results)),
);
process.on('disconnect', () => process.exit());
