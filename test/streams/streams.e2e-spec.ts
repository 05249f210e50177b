import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SessionLifecycleService } from 'nestjs-session-auth';
import { LiveSessions } from '../../libs/session-auth/src/link/live-sessions.js';
import type { BankClient } from '../support/bank-client.js';
import { ADAPTERS, openBackend, startBank, type Bank } from '../support/bank.js';
import { EventStream } from '../support/event-stream.js';
import { until } from '../support/patience.js';
import { gate, open, StreamController } from '../support/stream-controller.js';

const ENDED = { type: 'session_ended', data: '{"code":"session_ended","endReason":"revoked"}' };

describe.each(ADAPTERS)('a stream on %s', (adapter) => {
  let bank: Bank;
  let alice: BankClient;
  const streams: EventStream[] = [];

  beforeEach(async () => {
    bank = await startBank({
      adapter,
      backend: await openBackend('memory'),
      module: { controllers: [StreamController] },
    });
    alice = bank.client();
    await alice.login('alice', { rememberMe: true });
  });

  afterEach(async () => {
    for (const stream of streams.splice(0)) stream.close();
    await bank.close();
  });

  const start = async (path: string, cookie = alice.cookie): Promise<EventStream> => {
    const stream = await EventStream.open(bank.port, `/streams/${path}`, cookie);
    streams.push(stream);
    return stream;
  };
  const endAll = (): Promise<number> => bank.app.get(SessionLifecycleService).revokeAll('alice');
  const followed = (): number => bank.app.get(LiveSessions).size;
  const isLetGo = (): Promise<void> => until(() => followed() === 0);

  it('of an open handler ends with the session of its own cookie', async () => {
    const stream = await start('open');
    await stream.flows();
    await until(() => followed() === 1);
    await endAll();
    expect(await stream.last()).toEqual(ENDED);
    expect([stream.state, open.get('open')]).toEqual(['complete', 0]);
  });

  it('of an open handler is for strangers, for devices that are only remembered, and after that for the same client', async () => {
    const bob = bank.client();
    await bob.login('bob');
    await bank.app.get(SessionLifecycleService).revokeAll('bob');
    alice.restart();
    const handed = await Promise.all(['', alice.cookie, bob.cookie].map((cookie) => start('open', cookie)));
    for (const stream of handed) await stream.flows();
    await endAll();
    for (const stream of handed) await stream.flows(100);
    expect([handed.map(({ state }) => state), followed()]).toEqual([['open', 'open', 'open'], 0]);
    expect(bank.events.filter(({ type }) => type === 'session.created')).toHaveLength(2);
  });

  it('of a guarded handler that signed a remembered device in ends with that session', async () => {
    alice.restart();
    const stream = await start('guarded');
    await stream.flows();
    expect(bank.events.filter(({ type }) => type === 'session.created')).toHaveLength(2);
    await endAll();
    expect(await stream.last()).toEqual(ENDED);
  });

  it('of a handler that returns a promise ends as well, and its rejection is sent as before', async () => {
    const stream = await start('promised/some');
    await stream.flows();
    expect(stream.events[0]).toEqual({ type: 'message', data: '{"name":"some","userId":"alice"}' });
    await endAll();
    expect(await stream.last()).toEqual(ENDED);
    await alice.login('alice');
    expect((await alice.get('/streams/promised/none')).status).toBe(404);
  });

  it('ends also where an interceptor keeps the response open', async () => {
    const stream = await start('beating');
    await stream.flows();
    await endAll();
    await until(() => stream.state !== 'open');
    expect(stream.events).toContainEqual(ENDED);
    const after = stream.events.slice(stream.events.findIndex(({ type }) => type === 'session_ended') + 1);
    expect([...new Set(after.map(({ type }) => type))]).toEqual(['beat']);
    expect(open.get('beating')).toBe(0);
  });

  it.each(['error', 'complete', 'late'])('ends by the same event where the handler ends it too: %s', async (how) => {
    const stream = await start(`aborted/${how}`);
    await stream.flows();
    await endAll();
    expect(await stream.last()).toEqual(ENDED);
    expect(stream.text).not.toContain('after the end');
    await until(() => open.get('aborted') === 0);
  });

  it('whose handler fails when it is unsubscribed ends as well, and the server goes on', async () => {
    const stream = await start('disposed');
    await until(() => followed() === 1);
    await endAll();
    expect(await stream.last()).toEqual(ENDED);
    expect(open.get('disposed')).toBe(0);
    expect(bank.log.join('\n')).toContain('a stream failed when its session ended');
  });

  it('that completes, fails or is left by its client leaves nothing behind', async () => {
    const short = await start('short');
    await until(() => short.state === 'complete');
    expect(short.events.map(({ data }) => data)).toEqual(['one', 'two']);
    await isLetGo();
    const failing = await start('failing');
    await until(() => gate.held === 1 && followed() === 1);
    gate.open();
    expect(await failing.last()).toMatchObject({ type: 'error' });
    await isLetGo();
    const left = await start('guarded');
    await left.flows();
    expect(followed()).toBe(1);
    left.close();
    await isLetGo();
    await until(() => open.get('guarded') === 0);
  });

  it('of each of many clients ends with its own session', async () => {
    const bob = bank.client();
    await bob.login('bob');
    const [ending, staying] = await Promise.all(
      [alice, bob].map(({ cookie }) => Promise.all(Array.from({ length: 25 }, () => start('guarded', cookie)))),
    );
    for (const stream of [...ending!, ...staying!]) await stream.flows();
    expect(followed()).toBe(2);
    await endAll();
    for (const stream of ending!) expect(await stream.last()).toEqual(ENDED);
    for (const stream of staying!) await stream.flows();
    expect(open.get('guarded')).toBe(25);
  });
});
