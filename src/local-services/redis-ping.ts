import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const ATTEMPT_TIMEOUT = 1_000;
const PAUSE = 20;

/** Resolves once the server at `port` answers PING; rejects when `signal` aborts first, with its reason. */
export async function untilRedisAnswers(port: number, signal: AbortSignal, host = '127.0.0.1'): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    if (await answersPing(port, host)) return;
    await delay(PAUSE);
  }
}

/** One PING over one connection. A server that wants a password first is up as well. */
export function answersPing(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host });
    const settle = (answered: boolean): void => {
      socket.destroy();
      resolve(answered);
    };
    socket.setTimeout(ATTEMPT_TIMEOUT, () => settle(false));
    socket.once('error', () => settle(false));
    socket.once('close', () => settle(false));
    socket.once('connect', () => socket.write('PING\r\n'));
    socket.once('data', (reply) => settle(/^(\+PONG|-NOAUTH)/.test(reply.toString('latin1'))));
  });
}
