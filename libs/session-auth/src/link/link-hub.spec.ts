import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { HubSessionLink } from './hub-session-link.js';
import { LinkHub } from './link-hub.js';
import type { LinkConnection, LinkReceiver, LinkTransport } from './link-transport.js';

/** A backend in this process that responds, is silent or refuses, as a test says. */
class Backend implements LinkTransport {
  readonly connections: (LinkReceiver & { readonly realms: readonly string[]; isOpen: boolean; beats: number })[] = [];
  state: 'well' | 'silent' | 'away' | 'refusing' = 'well';

  connect(realms: readonly string[], receiver: LinkReceiver): Promise<LinkConnection> {
    if (this.state === 'silent') {
      return new Promise((_, reject) => setTimeout(() => reject(new Error('no answer')), 2000));
    }
    if (this.state === 'away') return Promise.reject(new Error('ECONNREFUSED'));
    if (this.state === 'refusing') return Promise.reject(new SessionAuthError('invalid_configuration', 'no rights'));
    const connection = { ...receiver, realms, isOpen: true, beats: 0 };
    this.connections.push(connection);
    return Promise.resolve({
      beat: () => {
        connection.beats += 1;
        return this.state === 'silent' ? new Promise(() => undefined) : Promise.resolve();
      },
      close: () => void (connection.isOpen = false),
    });
  }

  get open(): number {
    return this.connections.filter(({ isOpen }) => isOpen).length;
  }
}

describe('the connection of a node', () => {
  let backend: Backend;
  let hub: LinkHub;
  let link: HubSessionLink;
  let told: string[];

  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
    backend = new Backend();
    hub = new LinkHub(backend);
    link = new HubSessionLink(hub, 'default');
    told = [];
    link.observe({ lost: () => told.push('lost'), restored: () => told.push('restored') });
  });

  afterEach(async () => {
    await link.close();
    jest.useRealTimers();
  });

  /** Lets time pass, and reads what arrived over the network meanwhile. */
  async function pass(milliseconds: number): Promise<void> {
    for (let passed = 0; passed < milliseconds; passed += 10) {
      await jest.advanceTimersByTimeAsync(10);
      for (let turn = 0; turn < 4; turn += 1) await new Promise(setImmediate);
    }
  }

  it('is opened by the first listener, and shared by all realms', async () => {
    const staff = new HubSessionLink(hub, 'staff');
    expect(backend.connections).toHaveLength(0);
    const heard: unknown[] = [];
    link.watch((signal) => heard.push(signal));
    staff.watch((signal) => heard.push(signal));
    await pass(10);
    expect([link.isHealthy, staff.isHealthy, told]).toEqual([true, true, ['restored']]);
    expect(backend.connections).toMatchObject([{ realms: ['default', 'staff'] }]);
    const signal = { type: 'ended', realm: 'staff', id: 'a', reason: 'logout' } as const;
    backend.connections[0]!.heard(signal);
    expect(heard).toEqual([signal]);
    await staff.close();
    expect([link.isHealthy, staff.isHealthy, backend.open]).toEqual([true, false, 1]);
    await link.close();
    expect([link.isHealthy, backend.open]).toEqual([false, 0]);
    expect(told).toEqual(['restored']);
  });

  it('is found dead within 250 ms when it goes silent, and comes back by itself', async () => {
    link.watch(() => undefined);
    await pass(500);
    expect(link.isHealthy).toBe(true);
    backend.state = 'silent';
    await pass(250);
    expect([link.isHealthy, backend.open, told]).toEqual([false, 0, ['restored', 'lost']]);
    // an attempt without a response is given up too
    await pass(3000);
    expect(told).toEqual(['restored', 'lost']);
    backend.state = 'well';
    await pass(3000);
    expect([link.isHealthy, backend.open, told]).toEqual([true, 1, ['restored', 'lost', 'restored']]);
  });

  it('is lost at once when it is closed by the other side', async () => {
    await link.open();
    backend.state = 'away';
    backend.connections[0]!.closed(new Error('ECONNRESET'));
    expect([link.isHealthy, told]).toEqual([false, ['restored', 'lost']]);
    await pass(2000);
    backend.state = 'well';
    await pass(500);
    expect([link.isHealthy, backend.open]).toEqual([true, 1]);
  });

  it('rests while nobody watches, and beats at once when somebody does', async () => {
    await link.open();
    await pass(1000);
    const [connection] = backend.connections;
    expect(connection!.beats).toBe(0);
    const unwatch = link.watch(() => undefined);
    expect(connection!.beats).toBe(1);
    await pass(1000);
    expect(connection!.beats).toBeGreaterThan(10);
    unwatch();
    await pass(100);
    const { beats } = connection!;
    await pass(1000);
    expect(connection!.beats).toBe(beats);
  });

  it('sends no heartbeats for who proves by itself, and hears the same', async () => {
    const heard: string[] = [];
    const unwatch = link.watch(({ id }) => heard.push(id!), { heartbeat: false });
    await pass(1000);
    const [connection] = backend.connections;
    expect(connection!.beats).toBe(0);
    connection!.heard({ type: 'changed', realm: 'default', id: 'a' });
    await link.prove();
    expect([heard, connection!.beats]).toEqual([['a'], 1]);
    const stop = link.watch(() => undefined);
    stop();
    stop();
    unwatch();
    await pass(1000);
    const { beats } = connection!;
    await pass(1000);
    expect(connection!.beats).toBe(beats);
  });

  it('is lost when a heartbeat is overdue that somebody else has asked for', async () => {
    await link.open();
    backend.state = 'silent';
    const failed = expect(link.prove()).rejects.toMatchObject({ code: 'session_store_unavailable' });
    await pass(200);
    await failed;
    expect([link.isHealthy, backend.connections[0]!.isOpen, told]).toEqual([false, false, ['restored', 'lost']]);
    await expect(link.prove()).rejects.toMatchObject({ code: 'session_store_unavailable' });
  });

  it('rejects for its caller while the backend is away, and goes on trying', async () => {
    backend.state = 'away';
    await expect(link.open()).rejects.toMatchObject({
      code: 'session_store_unavailable',
      message: expect.stringContaining('ECONNREFUSED'),
      cause: new Error('ECONNREFUSED'),
    });
    backend.state = 'well';
    await pass(200);
    expect([link.isHealthy, told]).toEqual([true, ['restored']]);
  });

  it('tries no more when the backend refuses what it needs, until it is asked again', async () => {
    backend.state = 'refusing';
    const logged = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    await expect(link.open()).rejects.toMatchObject({ code: 'invalid_configuration' });
    backend.state = 'well';
    await pass(5000);
    expect(backend.connections).toHaveLength(0);
    expect(logged.mock.calls).toEqual([[expect.stringContaining('the session link is refused'), expect.any(Error)]]);
    logged.mockRestore();
    await link.open();
    expect(link.isHealthy).toBe(true);
  });

  it('leaves nothing open when it is closed while it connects', async () => {
    const opening = link.open();
    await link.close();
    await expect(opening).rejects.toMatchObject({ code: 'session_store_unavailable' });
    await pass(5000);
    expect([backend.open, link.isHealthy]).toEqual([0, false]);
  });

  it('connects again to hear of another realm', async () => {
    await link.open();
    const staff = new HubSessionLink(hub, 'staff');
    await staff.open();
    expect(backend.connections.map(({ realms }) => realms)).toEqual([['default'], ['default', 'staff']]);
    expect(backend.open).toBe(1);
    await staff.close();
  });
});
