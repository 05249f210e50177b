import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { StatementsController as ExampleController } from '../../examples/embedding/statements.controller.js';
import { AppModule as Notes } from '../../examples/quick-start/app.module.js';
import type { Answer, BankClient } from '../support/bank-client.js';
import { ADAPTERS, openBackend, startBank, type Bank } from '../support/bank.js';
import { logIn, startExample } from '../support/example-app.js';
import { StatementsController } from '../support/statements-controller.js';

const SHOP = 'https://shop.example';

describe.each(ADAPTERS)('what may not be embedded, on %s', (adapter) => {
  let bank: Bank;
  let alice: BankClient;

  beforeEach(async () => {
    bank = await startBank({
      adapter,
      backend: await openBackend('memory'),
      options: { csrf: { trustedOrigins: [SHOP] } },
      module: { controllers: [StatementsController] },
    });
    alice = bank.client();
    await alice.login('alice');
  });
  afterEach(() => bank.close());

  const ask = (headers: Record<string, string>, door = 'picture'): Promise<Answer> =>
    alice.get(`/statements/guarded/${door}`, { headers });
  const fetchMetadata = (site: string, mode: string, dest: string): Record<string, string> => ({
    'sec-fetch-site': site,
    'sec-fetch-mode': mode,
    'sec-fetch-dest': dest,
  });

  it.each(['image', 'script', 'style', 'video', 'object', 'embed', 'iframe', 'frame', 'empty', 'document', 'worker'])(
    'is refused to pages of other origins as %s, of siblings too',
    async (dest) => {
      const mode = ['iframe', 'frame', 'object', 'embed'].includes(dest) ? 'navigate' : 'no-cors';
      for (const site of ['cross-site', 'same-site']) {
        const answer = await ask(fetchMetadata(site, mode, dest));
        expect([answer.status, answer.json]).toEqual([403, expect.objectContaining({ code: 'csrf_failed' })]);
        expect(answer.headers['cross-origin-resource-policy']).toBe('same-origin');
      }
      expect((await ask(fetchMetadata('same-origin', mode, dest))).status).toBe(200);
      expect(bank.events.filter(({ type }) => type === 'csrf.rejected')).toEqual([
        expect.objectContaining({ reason: 'cross_site', method: 'GET' }),
        expect.objectContaining({ reason: 'cross_site', method: 'GET' }),
      ]);
    },
  );

  it('is refused to a fetch of an origin that is not trusted, with any other headers', async () => {
    for (const origin of ['https://evil.example', 'null', `${SHOP}.evil.example`]) {
      for (const site of ['cross-site', 'same-site', 'same-origin', 'none']) {
        expect((await ask({ ...fetchMetadata(site, 'cors', 'empty'), origin })).status).toBe(403);
      }
      expect((await ask({ origin })).status).toBe(403);
    }
    expect((await ask({ ...fetchMetadata('cross-site', 'cors', 'empty'), origin: SHOP })).status).toBe(200);
  });

  it('opens by a link, a typed address and a program, and says in its headers what decided', async () => {
    const { status, headers } = await ask(fetchMetadata('cross-site', 'navigate', 'document'));
    expect([status, headers['cross-origin-resource-policy']]).toEqual([200, 'same-origin']);
    const vary = headers.vary!.toLowerCase().split(/,\s*/);
    expect(vary).toEqual(
      expect.arrayContaining(['origin', 'sec-fetch-site', 'sec-fetch-mode', 'sec-fetch-dest', 'cookie']),
    );
    expect((await ask(fetchMetadata('none', 'navigate', 'document'))).status).toBe(200);
    expect((await ask({})).status).toBe(200);
    // of a browser that says nothing else: a link, for all one knows
    expect((await ask({ referer: 'https://elsewhere.example/page' })).status).toBe(200);
  });

  it('has the policy that its handler says, and without the guard none', async () => {
    const { headers } = await ask({}, 'for-siblings');
    expect(headers['cross-origin-resource-policy']).toBe('same-site');
    const open = await alice.get('/statements/open/picture', {
      headers: fetchMetadata('same-site', 'no-cors', 'image'),
    });
    expect([open.status, open.headers['cross-origin-resource-policy']]).toEqual([200, undefined]);
  });
});

it('the example of the guide lets its own pages in, and no others', async () => {
  const example = await startExample(Notes, { beside: { controllers: [ExampleController] } });
  try {
    const ada = example.client();
    await logIn(ada);
    const statusFor = async (site: string): Promise<number> =>
      (await ada.get('/statements/latest.csv', { headers: { 'sec-fetch-site': site } })).status;
    expect([await statusFor('same-origin'), await statusFor('same-site'), await statusFor('cross-site')]).toEqual([
      200, 403, 403,
    ]);
  } finally {
    await example.close();
  }
});
