import { CONNECTIONS, type Fleet } from '../fleet.ts';
import type { ForgedBurst } from '../measured.ts';
import { requestText } from '../processes/contender-server.ts';
import type { LoadOrder, LoadResult } from '../processes/load.ts';
import { requestsOf, STATUS } from '../requests.ts';
import type { Effort } from '../rounds.ts';
import { untilSteady } from '../warm-up.ts';

/** Forged requests a second. */
const BURST = 20_000;

/** Valid requests a second beside a flood of others, and what one of them costs. */
interface Beside {
  readonly passed: number;
  readonly flood: number;
  readonly cpu: number;
}

/**
 * Measures valid requests while {@link BURST} forged ones a second arrive, or as many as three quarters of a core can
 * take. Any mixture of requests costs more than its parts. For comparison, the same is measured with requests for a
 * route that does not exist.
 */
export async function forgedBurst(
  fleet: Fleet,
  { window, rounds, rewarm, warmUp }: Effort,
): Promise<readonly ForgedBurst[]> {
  const { server, devices } = fleet.of({ contender: 'ours', adapter: 'fastify', store: 'redis' }, 'forged');
  const common = { port: server.port, connections: CONNECTIONS, duration: window };
  const valid = { ...common, requests: requestsOf('read', devices), status: STATUS.read };
  const forged = { ...common, requests: requestsOf('forged', devices), status: STATUS.forged };
  const absent = { ...common, requests: [requestText('GET', '/not-there')], status: 404 };

  const charged = async (...orders: readonly LoadOrder[]): Promise<{ results: LoadResult[]; cpu: number }> => {
    const before = await server.cpu();
    const results = await fleet.sendTogether(...orders);
    return { results, cpu: (await server.cpu()) - before };
  };
  const alone = async (order: LoadOrder): Promise<{ rate: number; cpu: number }> => {
    const { results, cpu } = await charged(order);
    return { rate: rateOf(results[0]!), cpu: cpu / results[0]!.responses };
  };
  const beside = async (order: LoadOrder): Promise<Beside> => {
    await alone({ ...order, duration: rewarm });
    const { cpu } = await alone(order);
    const rate = Math.min(BURST, 750_000 / cpu);
    const all = await charged(valid, { ...order, connections: 4 * CONNECTIONS, rate });
    const [passed, flood] = all.results as [LoadResult, LoadResult];
    return { passed: rateOf(passed), flood: rateOf(flood), cpu: (all.cpu - flood.responses * cpu) / passed.responses };
  };

  for (const order of [valid, absent, forged]) {
    await untilSteady(async () => (await alone({ ...order, duration: warmUp.window })).cpu, warmUp.most);
  }
  const found: ForgedBurst[] = [];
  for (let round = 0; round < rounds; round++) {
    const { rate: validAlone } = await alone(valid);
    const control = await beside(absent);
    const burst = await beside(forged);
    const validExpected = (burst.passed * burst.cpu) / control.cpu;
    found.push({ forgedPerSecond: burst.flood, validPerSecond: burst.passed, validExpected, validAlone });
  }
  return found;
}

function rateOf({ responses, milliseconds }: LoadResult): number {
  return (1000 * responses) / milliseconds;
}
