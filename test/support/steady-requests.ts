import { Agent, get } from 'node:http';

const CONNECTIONS = 16;

/** So many GETs of one session over a few connections that stay open. Answers how often each status was answered. */
export async function steadyRequests(
  port: number,
  path: string,
  cookie: string,
  count: number,
): Promise<Record<number, number>> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const statuses: Record<number, number> = {};
  let left = count;
  const keepAsking = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const status = await new Promise<number>((resolve, reject) => {
        get({ host: '127.0.0.1', port, path, agent, headers: { cookie } }, (response) => {
          response.on('error', reject).on('end', () => resolve(response.statusCode!));
          response.resume();
        }).on('error', reject);
      });
      statuses[status] = (statuses[status] ?? 0) + 1;
    }
  };
  try {
    await Promise.all(Array.from({ length: CONNECTIONS }, keepAsking));
  } finally {
    agent.destroy();
  }
  return statuses;
}
