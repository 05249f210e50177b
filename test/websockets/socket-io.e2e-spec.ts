import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { SessionLifecycleService } from 'nestjs-session-auth';
import { signInAs } from 'nestjs-session-auth/testing';
import { once } from 'node:events';
import type { EventEmitter } from 'node:events';
import { io } from 'socket.io-client';
import { WebSocket } from 'ws';
import { send } from '../support/bank-client.js';
import { ADAPTERS } from '../support/http-server.js';
import { watchesOf, type LiveWatches } from '../support/live-watches.js';
import { until } from '../support/patience.js';
import { ALICE, startNode, type SocketNode } from '../support/socket-app.js';

/** Of the server, which the first gateway makes. */
const PINGS = { pingInterval: 1000, pingTimeout: 1000 };

@WebSocketGateway(PINGS)
class RootGateway {
  handleConnection(client: EventEmitter): void {
    client.on('disconnect', (reason) => {
      if (reason === 'server namespace disconnect') throw new Error('a defect of the application');
    });
  }

  @SubscribeMessage('hello')
  hello(): string {
    return 'hello';
  }
}

@WebSocketGateway({ ...PINGS, namespace: 'chat' })
class ChatGateway {
  @SubscribeMessage('hello')
  hello(): string {
    return 'hello';
  }
}

/** Frames of engine.io, as they come over the wire. */
const CONNECT = '40';
const DISCONNECT = '41';
const CLOSED = [1008, 'session_ended'] as const;

describe.each(ADAPTERS)('a connection of socket.io on %s, whose session ends,', (adapter) => {
  let node: SocketNode;
  let watches: LiveWatches;
  let alice: Awaited<ReturnType<typeof signInAs>>;

  beforeEach(async () => {
    node = await startNode({ adapter, sockets: 'socket.io', gateways: [RootGateway, ChatGateway] });
    watches = watchesOf(node.app);
    alice = await signInAs(node.app, ALICE);
  });

  afterEach(() => node.app.close());

  const endSession = (): Promise<boolean> => node.app.get(SessionLifecycleService).revoke('alice', alice.session.id);

  /** A client of the protocol below socket.io's, which does what it is told. */
  class RawClient {
    readonly frames: string[] = [];
    readonly closed: Promise<readonly [number, string]>;
    readonly #socket: WebSocket;

    constructor(sid = '') {
      const path = `/socket.io/?EIO=4&transport=websocket${sid && `&sid=${sid}`}`;
      this.#socket = new WebSocket(`ws://127.0.0.1:${node.port}${path}`, { headers: { cookie: alice.cookie } });
      this.#socket.on('message', (data: Buffer) => void this.frames.push(data.toString()));
      this.closed = once(this.#socket, 'close').then(([code, reason]) => [code as number, String(reason)] as const);
    }

    /** Sends a frame, and waits for one that begins so. */
    async ask(frame: string, answer: string): Promise<void> {
      if (this.#socket.readyState !== WebSocket.OPEN) await once(this.#socket, 'open');
      this.#socket.send(frame);
      await until(() => this.frames.some((each) => each.startsWith(answer)));
    }

    send(frame: string): void {
      this.#socket.send(frame);
    }

    async opened(): Promise<void> {
      await until(() => this.frames.some((each) => each.startsWith('0')));
    }

    /** What came after the answers to what it asked. */
    get told(): string[] {
      return this.frames.filter((frame) => frame.startsWith(DISCONNECT)).sort();
    }
  }

  it('is told to disconnect from each of its namespaces, and closed with 1008 after that', async () => {
    const client = new RawClient();
    await client.ask(CONNECT, CONNECT);
    await client.ask(`${CONNECT}/chat,`, `${CONNECT}/chat,`);
    await endSession();
    expect(await client.closed).toEqual(CLOSED);
    expect(client.told).toEqual([DISCONNECT, `${DISCONNECT}/chat,`]);
    expect(watches.count).toBe(0);
  });

  it('is closed though it has left the namespaces that it joined last, or all, or has joined none', async () => {
    const [one, all, none] = [new RawClient(), new RawClient(), new RawClient()];
    for (const client of [one, all]) {
      await client.ask(CONNECT, CONNECT);
      await client.ask(`${CONNECT}/chat,`, `${CONNECT}/chat,`);
      client.send(`${DISCONNECT}/chat,`);
    }
    all.send(DISCONNECT);
    // answered in turn: what was sent before has been read then
    await one.ask('420["hello"]', '430["hello"]');
    await all.ask(`${CONNECT}/chat,`, `${CONNECT}/chat,`);
    all.send(`${DISCONNECT}/chat,`);
    await none.opened();
    await endSession();
    expect(await one.closed).toEqual(CLOSED);
    expect(await all.closed).toEqual(CLOSED);
    expect(await none.closed).toEqual(CLOSED);
    expect([one.told, none.told]).toEqual([[DISCONNECT], []]);
  });

  const poll = async (sid: string, body?: string): Promise<string> => {
    const path = `/socket.io/?EIO=4&transport=polling${sid && `&sid=${sid}`}`;
    const headers = { 'content-type': 'text/plain' };
    return (await send(node.port, body === undefined ? 'GET' : 'POST', path, { cookie: alice.cookie, body, headers }))
      .text;
  };

  it.each([
    ['waits for the next poll', false],
    ['polls', true],
  ])('is told over polling, and closed: a client that %s', async (_what, polls) => {
    const { sid } = JSON.parse((await poll('')).slice(1)) as { sid: string };
    await poll(sid, CONNECT);
    expect(await poll(sid)).toMatch(/^40/);
    const polling = polls ? poll(sid) : undefined;
    // its response is pending when the next request has been answered
    if (polls) await poll(sid, '420["hello"]');
    const before = polls ? await polling! : undefined;
    const next = polls ? poll(sid) : undefined;
    if (polls) await send(node.port, 'GET', '/over-http/guarded', { cookie: alice.cookie });
    await endSession();
    const told = next === undefined ? await poll(sid) : await next;
    expect([before, told.split('\u001e')[0]]).toEqual([polls ? '430["hello"]' : undefined, DISCONNECT]);
    // nothing is left to talk to
    await until(async () => /Session ID unknown|^6?1/.test((await poll(sid)).replaceAll('\u001e', '')));
    expect(watches.count).toBe(0);
  });

  it('is told and closed with 1008 where it is in the middle of leaving polling', async () => {
    const { sid } = JSON.parse((await poll('')).slice(1)) as { sid: string };
    await poll(sid, CONNECT);
    expect(await poll(sid)).toMatch(/^40/);
    const client = new RawClient(sid);
    await client.ask('2probe', '3probe');
    await endSession();
    client.send('5');
    expect(await client.closed).toEqual(CLOSED);
    expect(client.told).toEqual([DISCONNECT]);
  });

  it.each([['websocket'], ['polling']])('is not opened again by its client, by %s', async (transport) => {
    const options = { extraHeaders: { cookie: alice.cookie }, transports: [transport], reconnectionDelay: 10 };
    const client = io(`http://127.0.0.1:${node.port}`, options);
    const chat = client.io.socket('/chat');
    chat.connect();
    const joined = [client, chat].map((each) => new Promise<void>((resolve) => each.once('connect', resolve)));
    await Promise.all(joined);
    const attempts: unknown[] = [];
    client.io.on('reconnect_attempt', (attempt) => attempts.push(attempt));
    const left = [client, chat].map((each) => new Promise((resolve) => each.once('disconnect', resolve)));
    await endSession();
    expect(await Promise.all(left)).toEqual(['io server disconnect', 'io server disconnect']);
    expect([client.active, chat.active, attempts]).toEqual([false, false, []]);
    client.disconnect();
  });

  it('that vanishes while it polls is followed until the server finds out', async () => {
    await poll('');
    expect(watches.count).toBe(1);
    await until(() => watches.count === 0);
    expect(await endSession()).toBe(true);
  });
});
