import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { send } from '../support/bank-client.js';
import { PATIENCE } from '../support/patience.js';
import { Browser, cookieName } from '../support/realm-app.js';
import { installEarlier, openShared, SHARED_STORES } from './earlier-node.js';
import { startNode } from './node-app.js';

jest.setTimeout(PATIENCE);

const me = async (browser: Browser): Promise<unknown> => {
  const { status, json } = await browser.get('/room/default/me');
  return status === 200 ? json : status;
};

describe.each(SHARED_STORES)('an update from a version whose tokens name no session, on %s', (store) => {
  let project: string;

  beforeAll(async () => {
    project = await installEarlier('before-successors');
  });

  it('ends sessions, signs remembered devices in, and lets everybody log in with the cookies that they have', async () => {
    const backend = await openShared(store);
    const earlier = await backend.run(project);
    const [remembered, forgotten] = [new Browser(earlier.port, send), new Browser(earlier.port, send)];
    const form = new Browser(earlier.port, send);
    await remembered.login('default', 'alice', true);
    await forgotten.login('default', 'bob');
    await form.csrf('default');
    for (const browser of [remembered, forgotten]) expect(await me(browser)).toMatchObject({ roles: ['customer'] });
    await earlier.stop();
    await backend.upgrade();
    const { app, port } = await startNode(await backend.storage());
    try {
      for (const browser of [remembered, forgotten, form]) browser.port = port;
      expect(await me(remembered)).toMatchObject({ userId: 'alice' });
      remembered.cookies.delete(cookieName('default'));
      expect(await me(remembered)).toMatchObject({ userId: 'alice' });
      expect(await me(forgotten)).toBe(401);
      for (const browser of [forgotten, form]) {
        const { id } = await browser.login('default', 'bob');
        expect(await me(browser)).toMatchObject({ id, userId: 'bob' });
      }
    } finally {
      await app.close();
      await backend.close();
    }
  });
});
