import { expect, it } from '@jest/globals';
import { MemorySessionStore, type EndedSession } from 'nestjs-session-auth';
import { ADAPTERS, openBackend, startBank } from '../support/bank.js';

/** Fails to end the first session that it is told to, and takes its time with the next. */
class TiredStore extends MemorySessionStore {
  #deletes = 0;
  goOn: () => void = () => undefined;

  override async delete(digest: string, now: number): Promise<EndedSession | undefined> {
    this.#deletes += 1;
    if (this.#deletes === 1) throw new Error('gone for a moment');
    await new Promise<void>((resolve) => (this.goOn = resolve));
    return super.delete(digest, now);
  }
}

it.each(ADAPTERS)(
  'a login that cannot end the session before it says so at once, and undoes itself, on %s',
  async (adapter) => {
    const sessions = new TiredStore();
    const backend = await openBackend('memory');
    const bank = await startBank({
      adapter,
      backend: { ...backend, storage: { sessions: { useValue: sessions } } },
      // longer than this test may take
      options: { storeTimeout: '5m' },
    });
    const client = bank.client();
    await client.login('alice');
    expect((await client.tryLogin('bob')).status).toBe(503);
    expect((await client.get('/api/me')).json).toMatchObject({ userId: 'alice' });
    const left = async (): Promise<number> => (await sessions.list('bob', { limit: 10 }, Date.now())).records.length;
    expect(await left()).toBe(1);
    sessions.goOn();
    while ((await left()) > 0);
    await bank.close();
  },
);
