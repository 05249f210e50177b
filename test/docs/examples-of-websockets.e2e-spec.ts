import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SessionLifecycleService } from 'nestjs-session-auth';
import { signInAs } from 'nestjs-session-auth/testing';
import { AppModule } from '../../examples/websockets/app.module.js';
import { useSockets } from '../../examples/websockets/main.js';
import { logIn, startExample, type ExampleApp } from '../support/example-app.js';
import { connect, type SocketClient } from '../support/socket-client.js';

describe('the example of WebSockets', () => {
  let running: ExampleApp;
  let socket: SocketClient | undefined;

  beforeEach(async () => {
    running = await startExample(AppModule, { set: useSockets });
  });
  afterEach(async () => {
    socket?.close();
    await running.close();
  });

  it('takes orders of who is signed in, keeps a basket, and closes the socket with the session', async () => {
    await expect(connect('ws', running.port, {})).rejects.toMatchObject({ status: 401 });
    const ada = running.client();
    await logIn(ada);
    socket = await connect('ws', running.port, { cookie: ada.cookie });
    expect(await socket.ask('order', { item: 'tea' })).toEqual({ userId: '1', item: 'tea' });
    await socket.ask('basket', { item: 'tea' });
    expect(await socket.ask('basket', { item: 'milk' })).toEqual(['tea', 'milk']);
    expect(await socket.ask('close shop')).toMatchObject({ code: 'forbidden' });
    expect(await socket.ask('prices')).toEqual({ tea: 3 });
    await running.app.get(SessionLifecycleService).revokeAll('1');
    expect(await socket.closed).toEqual({ code: 1008, reason: 'session_ended' });
  });

  it('takes the headers of signInAs', async () => {
    const { headers } = await signInAs(running.app, { id: '2', roles: ['boss'] });
    socket = await connect('ws', running.port, headers);
    expect(await socket.ask('close shop')).toBe(true);
  });
});
