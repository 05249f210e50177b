import { afterEach, describe, expect, it } from '@jest/globals';
import { UseFilters, UseGuards } from '@nestjs/common';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import {
  CurrentSession,
  SessionAuthErrorFilter,
  SessionAuthGuard,
  SessionLifecycleService,
  type Session,
} from 'nestjs-session-auth';
import { signInAs } from 'nestjs-session-auth/testing';
import { once } from 'node:events';
import { LiveSessions } from '../../libs/session-auth/src/link/live-sessions.js';
import { openBackend, STORES, type Backend } from '../support/bank.js';
import { until } from '../support/patience.js';
import { ALICE, startNode, type SocketNode } from '../support/socket-app.js';
import { connect, SOCKETS, type SocketClient } from '../support/socket-client.js';

const signals: AbortSignal[] = [];

@UseFilters(SessionAuthErrorFilter)
@UseGuards(SessionAuthGuard)
@WebSocketGateway()
class WorkGateway {
  @SubscribeMessage('work')
  async work(@CurrentSession() session: Session): Promise<void> {
    signals.push(session.signal);
    await once(session.signal, 'abort');
  }

  @SubscribeMessage('hello')
  hello(@CurrentSession('signal') signal: AbortSignal): object {
    signals.push(signal);
    return { event: 'done', data: 'hello' };
  }
}

describe.each(STORES.flatMap((store) => SOCKETS.map((sockets) => ({ store, sockets }))))(
  'the signal of a message over $sockets with $store',
  ({ store, sockets }) => {
    let backend: Backend;
    let node: SocketNode;
    let client: SocketClient;

    afterEach(async () => {
      client.close();
      await node.app.close();
      await backend.close();
      signals.length = 0;
    });

    const followed = (): number => node.app.get(LiveSessions).size;
    const open = async (): Promise<void> => {
      backend = await openBackend(store);
      node = await startNode({ sockets, backend, gateways: [WorkGateway] });
      const { headers } = await signInAs(node.app, ALICE);
      client = await connect(sockets, node.port, headers);
    };

    it('is one for all messages of the connection, and fires when the session ends', async () => {
      await open();
      for (let i = 0; i < 20; i += 1) expect(await client.ask('hello')).toBe('hello');
      client.send('work');
      await until(() => signals.length === 21);
      expect(new Set(signals).size).toBe(1);
      expect([signals[0]!.aborted, followed()]).toEqual([false, 1]);
      await node.app.get(SessionLifecycleService).revokeAll('alice');
      await client.closed;
      expect(signals[0]!.reason).toMatchObject({ code: 'session_ended', endReason: 'revoked', statusCode: 401 });
      expect(followed()).toBe(0);
    });

    it('is released with the connection', async () => {
      await open();
      expect(await client.ask('hello')).toBe('hello');
      client.close();
      await until(() => followed() === 0);
      await node.app.get(SessionLifecycleService).revokeAll('alice');
      expect(signals[0]!.aborted).toBe(false);
    });
  },
);
