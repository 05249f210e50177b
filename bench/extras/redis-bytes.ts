import { CONNECTIONS, type Fleet } from '../fleet.ts';
import type { Results } from '../measured.ts';
import { requestText } from '../processes/contender-server.ts';
import type { Stores } from '../processes/stores.ts';
import { STATUS } from '../requests.ts';
import type { ServerSpec } from '../servers/server-spec.ts';

const USERS = 4000;
const SESSIONS_A_USER = 3;

/** What a login leaves in Redis: the memory that Redis says it uses, before and after many of them. */
export async function redisBytes(fleet: Fleet, { redis }: Stores): Promise<Results['extras']['bytesPerSession']> {
  const usedMemory = async (): Promise<number> => Number(/used_memory:(\d+)/.exec(await redis.info('memory'))![1]);
  const measureOf = async (spec: ServerSpec): Promise<number> => {
    const { server } = fleet.of(spec, 'login');
    const logins = Array.from({ length: SESSIONS_A_USER * USERS }, (_, index) =>
      requestText('POST', '/login', { body: { user: `user${index % USERS}` } }),
    );
    await redis.flushall();
    const before = await usedMemory();
    await fleet.send({ port: server.port, requests: logins, connections: CONNECTIONS, status: STATUS.login });
    return ((await usedMemory()) - before) / logins.length;
  };
  return {
    ours: await measureOf({ contender: 'ours', adapter: 'express', store: 'redis' }),
    connectRedis: await measureOf({ contender: 'express-session', adapter: 'express', store: 'redis' }),
  };
}
