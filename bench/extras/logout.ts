import { countCommands } from '../../test/support/command-count.js';
import { CONNECTIONS, DEVICES, type Fleet } from '../fleet.ts';
import type { Results } from '../measured.ts';
import { requestText } from '../processes/contender-server.ts';
import type { Stores } from '../processes/stores.ts';

const COUNTED = 10 * DEVICES;

/** What a logout costs the server and Redis. */
export async function logout(fleet: Fleet, stores: Stores): Promise<Results['extras']['logout']> {
  const { server } = fleet.of({ contender: 'ours', adapter: 'express', store: 'redis' }, 'login');
  const requests: string[] = [];
  for (let i = 0; i < COUNTED; i++) {
    requests.push(requestText('POST', '/logout', { device: await server.login(`leaving${i}`) }));
  }
  // the script is known to Redis from the first on
  const warmUp = requestText('POST', '/logout', { device: await server.login('leaving') });
  await fleet.send({ port: server.port, requests: [warmUp], connections: 1, status: 204 });
  let cpu = 0;
  const { sent } = await countCommands(stores.redis, async () => {
    const before = await server.cpu();
    await fleet.send({ port: server.port, requests, connections: CONNECTIONS, status: 204 });
    cpu = ((await server.cpu()) - before) / COUNTED;
  });
  return { cpu, commands: sent / COUNTED };
}
