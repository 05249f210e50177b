import { WebSocket } from 'ws';
import { now, type SignedInUser } from './socket-tasks.ts';

/** A socket of the crowd. Times are in milliseconds since the epoch. */
export interface CrowdSocket {
  readonly session: string;
  readonly client: WebSocket;
  closedAt?: number;
  code?: number;
}

/** Opens this many sockets a session in turn, `atOnce` at the same time. */
export async function openCrowd(
  sessions: readonly SignedInUser[],
  ports: readonly number[],
  count: number,
  atOnce = 200,
): Promise<CrowdSocket[]> {
  const sockets: CrowdSocket[] = [];
  let next = 0;
  const open = async (): Promise<void> => {
    while (next < count) {
      const number = next++;
      const { session, cookie } = sessions[number % sessions.length]!;
      // so that the sockets of one session are on all nodes
      const port = ports[(number + Math.floor(number / sessions.length)) % ports.length]!;
      sockets.push(await openOne(session, cookie, port));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, open));
  return sockets;
}

function openOne(session: string, cookie: string, port: number): Promise<CrowdSocket> {
  const client = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: { cookie } });
  const socket: CrowdSocket = { session, client };
  client.on('close', (code) => Object.assign(socket, { closedAt: now(), code }));
  return new Promise((resolve, reject) => {
    client.once('open', () => resolve(socket));
    client.on('error', reject);
  });
}

/** Has the sockets that are open send messages, until it is stopped: so many a second of all together. */
export function chatter(sockets: readonly CrowdSocket[], aSecond: number): () => void {
  const message = JSON.stringify({ event: 'note', data: {} });
  let turn = 0;
  const timer = setInterval(() => {
    for (let sent = 0; sent < aSecond / 20; sent += 1) {
      const { client } = sockets[turn++ % sockets.length]!;
      if (client.readyState === WebSocket.OPEN) client.send(message);
    }
  }, 50);
  return () => clearInterval(timer);
}
