import { ContenderServer, requestText, type Device } from '../processes/contender-server.ts';
import { KeepAliveConnection } from '../processes/keep-alive-connection.ts';
import type { Stores } from '../processes/stores.ts';
import type { ServerSpec } from '../servers/server-spec.ts';

/** How soon a second node refused sessions that had ended at the first. Times are milliseconds. */
export interface Revocations {
  readonly store: string;
  /** From the response of each logout to the first response that refuses, 0 if that came first; a list a round. */
  readonly delays: readonly (readonly number[])[];
  /** Requests to the second node. */
  readonly requests: number;
  /** Those that were sent after the response of the logout, and admitted. */
  readonly late: number;
  /** How long after the response the last of them was sent. */
  readonly latest: number;
}

/** Requests before each logout: the first of them may read the store. */
const BEFORE = 3;

/** Ends sessions at one node while another one is asked for them. */
export async function revocations(
  store: string,
  spec: ServerSpec,
  stores: Stores,
  { rounds, logouts }: { readonly rounds: number; readonly logouts: number },
  log: (line: string) => void,
): Promise<Revocations> {
  const addresses = {
    redisUrl: stores.redisUrl,
    mariaDbUrl: stores.mariaDbUrl,
    databaseUrl: await stores.newDatabase(),
  };
  const here = await ContenderServer.start(spec, addresses);
  const there = await ContenderServer.start(spec, addresses);
  const [toHere, toThere] = [await KeepAliveConnection.open(here.port), await KeepAliveConnection.open(there.port)];
  const counted = { requests: 0, late: 0, latest: 0 };

  const delayOf = async (device: Device): Promise<number> => {
    const question = requestText('GET', '/me', { device });
    const ask = async (): Promise<boolean> => {
      counted.requests += 1;
      const status = await toThere.send(question);
      if (status !== 200 && status !== 401) throw new Error(`a request was answered ${status}`);
      return status === 200;
    };
    for (let i = 0; i < BEFORE; i++) if (!(await ask())) throw new Error('a live session was refused');
    let answeredAt = Infinity;
    const logout = toHere.send(requestText('POST', '/logout', { device })).then((status) => {
      if (status !== 204) throw new Error(`a logout was answered ${status}`);
      answeredAt = performance.now();
    });
    for (;;) {
      const sentAt = performance.now();
      if (!(await ask())) break;
      if (sentAt <= answeredAt) continue;
      counted.late += 1;
      counted.latest = Math.max(counted.latest, sentAt - answeredAt);
    }
    const refusedAt = performance.now();
    await logout;
    return Math.max(refusedAt - answeredAt, 0);
  };

  const roundOf = async (round: number): Promise<number[]> => {
    const devices: Device[] = [];
    for (let i = 0; i < logouts; i++) devices.push(await here.login(`round${round}-${i}`));
    const delays: number[] = [];
    for (const device of devices) delays.push(await delayOf(device));
    return delays;
  };
  try {
    log(`${store}: warming up`);
    await roundOf(-1);
    Object.assign(counted, { requests: 0, late: 0, latest: 0 });
    const delays: number[][] = [];
    for (let round = 0; round < rounds; round++) {
      log(`${store}: round ${round + 1} of ${rounds}`);
      delays.push(await roundOf(round));
    }
    return { store, delays, ...counted };
  } finally {
    toHere.close();
    toThere.close();
    await here.stop();
    await there.stop();
  }
}
