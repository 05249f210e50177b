import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { FaultProxy } from '../test/support/fault-proxy.ts';
import { Stores } from './processes/stores.ts';
import { chatter, openCrowd, type CrowdSocket } from './sockets/socket-crowd.ts';
import { now, WAYS, type NodeReport, type NodeSetup, type SignedInUser } from './sockets/socket-tasks.ts';
import { SocketNode } from './sockets/socket-nodes.ts';

/*
 * Many sockets on three nodes, while their sessions end in all ways, messages flow, and the link between the nodes is
 * delayed, cut and half-open: every socket of a session that ended is closed, and no other one is.
 *
 *   npm run bench:sockets             npm run bench:sockets -- 10000 3000 (sockets, sessions)       … -- redis
 *
 * The process that holds the clients takes a file descriptor a socket, each node a third of that: `ulimit -n` of 11000
 * for 10,000 sockets.
 */
const NODES = 3;
const MINUTE = 60_000;
/**
 * What the library keeps at hand of cookies and users that it saw last, in two halves: so many new ones leave it as
 * large.
 */
const CACHED = 4096;
const words = process.argv.slice(2);
const [SOCKETS = 10_000, SESSIONS = 3000] = words.filter((word) => /^\d+$/.test(word)).map(Number);
const named = (['redis', 'postgres'] as const).filter((store) => words.includes(store));
const KINDS = named.length > 0 ? named : (['redis', 'postgres'] as const);

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** When the end of each session was acknowledged, by its handle. */
type Ends = Map<string, { readonly at: number; readonly phase: string }>;

const stores = await Stores.start(say);
let isSound = true;
try {
  for (const kind of KINDS) isSound = (await run(kind)) && isSound;
} finally {
  await stores.stop();
}
process.exitCode = isSound ? 0 : 1;

async function run(store: 'redis' | 'postgres'): Promise<boolean> {
  if (store === 'redis') await stores.redis.flushall();
  const url = store === 'redis' ? stores.redisUrl : await stores.newDatabase();
  // only what listens goes through it: the store stays
  const proxy = await FaultProxy.start(Number(new URL(url).port));
  const linkUrl = proxy.through(url);
  const setup: NodeSetup = { store, url, linkUrl, isFirst: true };
  const plain = await heapOfSocket({ ...setup, isPlain: true }, CACHED);
  const [shared, own] = [await heapOfSocket(setup, (CACHED * SESSIONS) / SOCKETS), await heapOfSocket(setup, CACHED)];
  say(
    `${store}: a socket takes ${plain.toFixed(0)} bytes of heap by itself, ${(shared - plain).toFixed(0)} more with its ` +
      `session, ${(own - plain).toFixed(0)} if no other socket has that`,
  );
  const nodes: SocketNode[] = [];
  for (let i = 0; i < NODES; i += 1) nodes.push(await SocketNode.start({ store, url, linkUrl, isFirst: i === 0 }));
  const anyNode = (): SocketNode => nodes[randomInt(NODES)]!;
  try {
    const users = Array.from({ length: SESSIONS }, (_, i) => `user-${i}`);
    const parts = nodes.map((_, i) => users.filter((__, place) => place % NODES === i));
    const signedIn = await Promise.all(
      nodes.map((node, i) => node.ask<SignedInUser[]>({ do: 'sign in', users: parts[i]! })),
    );
    const sessions = signedIn.flat();
    const opened = now();
    const sockets = await openCrowd(
      sessions,
      nodes.map(({ port }) => port),
      SOCKETS,
    );
    say(
      `${store}: ${sockets.length} sockets of ${SESSIONS} sessions on ${NODES} nodes, opened in ${seconds(opened)} s`,
    );
    const ends: Ends = new Map();
    const left = [...sessions].sort(() => randomInt(2) - 0.5);
    const stop = chatter(sockets, 2000);
    const share = Math.floor(SESSIONS / 10);
    const endSome = async (phase: string, count: number): Promise<void> => {
      for (let i = 0; i < count; i += 1) {
        const { user, session, cookie } = left.pop()!;
        const how = WAYS[i % WAYS.length]!;
        try {
          const { at } = await anyNode().ask<{ at: number }>({ do: 'end', how, user, session, cookie });
          ends.set(session, { at, phase });
        } catch {
          // not acknowledged: the store was away. It may have ended all the same
          unsure.add(session);
        }
      }
    };
    const unsure = new Set<string>();

    await endSome('healthy', share);
    await delay(1000);
    await proxy.break({ kind: 'delay', milliseconds: 100 });
    await endSome('delayed', Math.floor(share / 4));
    await proxy.heal();
    await delay(1000);
    await proxy.break({ kind: 'refuse' });
    await endSome('cut', share);
    await proxy.heal();
    const cutBackAt = now();
    await delay(3000);
    const half = endSome('half-open', share);
    proxy.cutSilently();
    await half;
    await delay(5000);
    await endSome('healthy again', share);
    await delay(1000);

    // half of those that are left go on being used, the others are idle for too long
    const using = left.splice(0, Math.floor(left.length / 2));
    await Promise.all(nodes.map((node) => node.ask({ do: 'advance', milliseconds: 40 * MINUTE })));
    const visits = nodes.map((node, i) =>
      node.ask<{ alive: number }>({
        do: 'visit',
        cookies: using.filter((_, place) => place % NODES === i).map(({ cookie }) => cookie),
      }),
    );
    const alive = (await Promise.all(visits)).reduce((sum, { alive: count }) => sum + count, 0);
    await Promise.all(nodes.map((node) => node.ask({ do: 'advance', milliseconds: 25 * MINUTE })));
    const expiredAt = now();
    for (const { session } of left) ends.set(session, { at: expiredAt, phase: 'expired' });
    await delay(5000);
    stop();
    const reports = await Promise.all(nodes.map((node) => node.ask<NodeReport>({ do: 'report' })));
    say(`${store}: ${alive} of ${using.length} sessions that were used are alive`);
    return judge(store, { sockets, ends, unsure, reports, backAt: { cut: cutBackAt } });
  } finally {
    await Promise.all(nodes.map((node) => node.stop()));
    await proxy.close();
  }
}

/** The heap of a socket in bytes, with its session and the platform's own, where all sockets share so many sessions. */
async function heapOfSocket(setup: NodeSetup, ofSessions: number): Promise<number> {
  const node = await SocketNode.start(setup);
  try {
    const users = Array.from({ length: 3 * CACHED }, (_, i) => `heap-${i}`);
    const sessions = await node.ask<SignedInUser[]>({ do: 'sign in', users });
    // those that come first fill what is kept for all, such as caches
    const others = await openCrowd(sessions.slice(CACHED), [node.port], 2 * CACHED);
    const closed = others.map(({ client }) => once(client, 'close'));
    for (const { client } of others) client.close();
    await Promise.all(closed);
    await delay(1000);
    const before = await node.ask<NodeReport>({ do: 'report' });
    const sockets = await openCrowd(sessions.slice(0, ofSessions), [node.port], CACHED);
    await delay(1000);
    const after = await node.ask<NodeReport>({ do: 'report' });
    for (const { client } of sockets) client.terminate();
    return (after.heapBytes - before.heapBytes) / CACHED;
  } finally {
    await node.stop();
  }
}

interface Outcome {
  readonly sockets: readonly CrowdSocket[];
  readonly ends: Ends;
  readonly unsure: ReadonlySet<string>;
  readonly reports: readonly NodeReport[];
  /** When the link was back, for ends that nobody could be told of before. */
  readonly backAt: Readonly<Record<string, number>>;
}

/** Prints what was counted; returns whether everything is as it has to be. */
function judge(store: string, { sockets, ends, unsure, reports, backAt }: Outcome): boolean {
  const late = new Map<string, number[]>();
  let [leftOpen, closedAlive, wrongCode, handledAfter] = [0, 0, 0, 0];
  for (const { session, closedAt, code } of sockets) {
    const end = ends.get(session);
    if (end === undefined) {
      if (closedAt !== undefined && !unsure.has(session)) closedAlive += 1;
      continue;
    }
    if (closedAt === undefined) leftOpen += 1;
    else {
      if (code !== 1008) wrongCode += 1;
      const since = Math.max(end.at, backAt[end.phase] ?? 0);
      const times = late.get(end.phase) ?? [];
      late.set(end.phase, times);
      times.push(closedAt - since);
    }
  }
  const lastClosed = new Map<string, number>();
  for (const { session, closedAt = Infinity } of sockets)
    lastClosed.set(session, Math.max(lastClosed.get(session) ?? 0, closedAt));
  for (const { lastHandled } of reports)
    for (const [session, at] of Object.entries(lastHandled)) if (at > (lastClosed.get(session) ?? 0)) handledAfter += 1;
  const handled = reports.reduce((sum, report) => sum + report.handled, 0);
  say(`${store}: ${ends.size} sessions ended, ${unsure.size} ends not acknowledged, ${handled} messages handled`);
  for (const [phase, times] of late) {
    times.sort((a, b) => a - b);
    const at = (share: number): string =>
      times[Math.min(times.length - 1, Math.floor(times.length * share))]!.toFixed(0);
    say(
      `${store}: ${phase}: ${times.length} sockets closed after ${at(0.5)} ms (median), ${at(0.99)} (p99), ${at(1)} (most)`,
    );
  }
  say(
    `${store}: ${leftOpen} sockets of ended sessions left open, ${closedAlive} of live ones closed, ` +
      `${wrongCode} closed by another code than 1008, ${handledAfter} sessions with messages handled after the close`,
  );
  return leftOpen + closedAlive + wrongCode + handledAfter === 0;
}

function seconds(since: number): string {
  return ((now() - since) / 1000).toFixed(1);
}
