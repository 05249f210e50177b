import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SessionLifecycleService, SessionLink } from 'nestjs-session-auth';
import { REDIS_OPTIONS } from '../../src/storage/redis-options.js';
import { openBackend, startBank, type Backend, type Bank } from '../support/bank.js';
import { EventStream } from '../support/event-stream.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { until } from '../support/patience.js';
import { StreamController } from '../support/stream-controller.js';

describe('a node with streams whose Redis is away', () => {
  let proxy: FaultProxy;
  let backend: Backend;
  let bank: Bank | undefined;

  beforeEach(async () => {
    const url = process.env['TEST_REDIS_URL']!;
    proxy = await FaultProxy.start(Number(new URL(url).port));
    backend = await openBackend('redis', proxy.through(url), REDIS_OPTIONS);
  });

  afterEach(async () => {
    await proxy.heal();
    await bank?.close();
    await backend.close();
    await proxy.close();
  });

  const start = (): Promise<Bank> =>
    startBank({
      adapter: 'fastify',
      backend: { ...backend, storage: backend.linkedStorage! },
      module: { controllers: [StreamController] },
    });

  it('starts, says so, and ends streams when it is back', async () => {
    await proxy.break({ kind: 'refuse' });
    bank = await start();
    expect(bank.log.join('\n')).toContain('the session link is down');
    await proxy.heal();
    await until(() => bank!.app.get(SessionLink).isHealthy);
    const alice = bank.client();
    await alice.login('alice');
    const stream = await EventStream.open(bank.port, '/streams/guarded', alice.cookie);
    await stream.flows();
    await bank.app.get(SessionLifecycleService).revokeAll('alice');
    expect(await stream.last()).toMatchObject({ type: 'session_ended' });
  });

  it('goes on with its streams, and ends those whose session ended meanwhile when it is back', async () => {
    bank = await start();
    const alice = bank.client();
    await alice.login('alice');
    const stream = await EventStream.open(bank.port, '/streams/guarded', alice.cookie);
    await stream.flows();
    await proxy.break({ kind: 'refuse' });
    await until(() => !bank!.app.get(SessionLink).isHealthy);
    await stream.flows(100);
    expect(stream.state).toBe('open');
    // past the proxy, where nobody of the node hears of it
    const past = await openBackend('redis');
    const keys = await past.redis!.keys(`${backend.namespace}*`);
    await past.redis!.del(...keys);
    await past.close();
    await proxy.heal();
    expect(await stream.last()).toEqual({ type: 'session_ended', data: '{"code":"session_ended"}' });
  });
});
