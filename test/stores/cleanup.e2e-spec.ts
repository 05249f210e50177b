import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SessionCleanupService, SessionLifecycleService } from 'nestjs-session-auth';
import { ADAPTERS, openBackend, startBank, type Backend, type Bank } from '../support/bank.js';

const HOUR = 60 * 60 * 1000;

describe.each(ADAPTERS)('the cleanup on %s', (adapter) => {
  let backend: Backend;
  const nodes: Bank[] = [];

  beforeEach(async () => {
    backend = await openBackend('memory');
  });

  afterEach(async () => {
    for (const node of nodes.splice(0)) await node.close();
    await backend.close();
  });

  async function start(options: Parameters<typeof startBank>[0]['options']): Promise<Bank> {
    const node = await startBank({ adapter, backend, options: { concurrency: Infinity, ...options } });
    nodes.push(node);
    return node;
  }

  it('removes what has expired, reports each session once, and returns the counts', async () => {
    const bank = await start({ cleanup: { batch: 3 } });
    const sessions = bank.app.get(SessionLifecycleService);
    const ids: string[] = [];
    for (let i = 0; i < 10; i += 1) ids.push((await sessions.create({ user: { id: 'alice' } })).session.id);
    bank.clock.advance(HOUR);
    const live = await sessions.create({ user: { id: 'alice' } });
    const cleanup = bank.app.get(SessionCleanupService);
    const reports = await Promise.all([cleanup.run(), cleanup.run()]);
    const others = { rememberMeTokens: 0, throttleCounts: 0 };
    expect(reports[0]).toEqual({ ran: true, sessions: 10, others, milliseconds: expect.any(Number) });
    expect(reports[1]).toBe(reports[0]);
    const expired = bank.events.filter((event) => event.type === 'session.expired');
    expect(expired.map((event) => event.sessionId).sort()).toEqual([...ids].sort());
    expect(expired[0]).toMatchObject({ userId: 'alice' });
    expect(await cleanup.run()).toMatchObject({ sessions: 0 });
    expect((await sessions.list('alice')).sessions.map((session) => session.id)).toEqual([live.session.id]);
  });

  it('counts up exactly once when two nodes run at the same time', async () => {
    const [one, two] = [await start({ cleanup: { batch: 7 } }), await start({ cleanup: { batch: 5 } })];
    const sessions = one.app.get(SessionLifecycleService);
    for (let i = 0; i < 100; i += 1) await sessions.create({ user: { id: `user${i}` } });
    for (const node of [one, two]) node.clock.advance(HOUR);
    const reports = await Promise.all([one, two].map((node) => node.app.get(SessionCleanupService).run()));
    expect(reports.reduce((sum, report) => sum + report.sessions, 0)).toBe(100);
    const expired = [one, two].flatMap((node) => node.events.filter((event) => event.type === 'session.expired'));
    expect(new Set(expired.map((event) => event.sessionId)).size).toBe(100);
    expect(expired).toHaveLength(100);
  });

  it('runs by itself, and not at all with false', async () => {
    const [busy, idle] = [await start({ cleanup: { every: 1000 } }), await start({ cleanup: false })];
    await idle.app.get(SessionLifecycleService).create({ user: { id: 'alice' } });
    busy.clock.advance(HOUR);
    // Nest's logger is one for all applications of a process
    const logged = (): string[] => [...busy.log, ...idle.log];
    const tells = (line: string): boolean => line.includes('1 sessions');
    for (let waited = 0; waited < 10_000 && !logged().some(tells); waited += 50) await delay(50);
    expect(busy.events).toEqual([expect.objectContaining({ type: 'session.expired', userId: 'alice' })]);
    expect(logged().filter(tells)).toHaveLength(1);
  });
});
