import { connect } from 'node:http2';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SESSION_COOKIE } from '../support/bank-client.js';
import { startBank, type Bank } from '../support/bank.js';
import { watchedBackend } from '../support/watched-store.js';

type Headers = Record<string, string | string[]>;

/** What HTTP/1 cannot say: `:authority`, and cookies in crumbs (RFC 9113 8.2.3, 8.3.1). */
describe.each([{ trustProxy: false }, { trustProxy: true }])('HTTP/2, with $trustProxy trust in a proxy', (setup) => {
  let bank: Bank;
  let cookie: string;
  let csrf: string;

  beforeAll(async () => {
    bank = await startBank({ adapter: 'fastify over HTTP/2', backend: watchedBackend(), ...setup });
    const alice = bank.client();
    await alice.login('alice');
    cookie = alice.cookie;
    csrf = await alice.csrfToken();
  });

  afterAll(() => bank.close());

  /** The status of a request whose headers are these alone. */
  async function ask(headers: Headers, body?: string): Promise<number> {
    const session = connect(`http://127.0.0.1:${bank.port}`);
    try {
      return await new Promise((resolve, reject) => {
        session.on('error', reject);
        const stream = session.request(headers);
        stream.on('response', ({ ':status': status = 0 }) => resolve(status));
        stream.on('error', reject);
        stream.resume();
        stream.end(body);
      });
    } finally {
      session.close();
    }
  }

  const transfer = (headers: Headers): Promise<number> =>
    ask(
      {
        ':method': 'POST',
        ':path': '/api/transfer',
        'content-type': 'application/json',
        cookie,
        'x-csrf-token': csrf,
        ...headers,
      },
      '{"to":"bob","amount":1}',
    );

  it('makes the host of :authority our own origin, and a Host beside it nobody’s', async () => {
    const origin = 'http://bank.example';
    expect(await transfer({ ':authority': 'bank.example', origin })).toBe(201);
    expect(await transfer({ ':authority': 'bank.example', host: 'evil.example', origin })).toBe(201);
    const evil = 'http://evil.example';
    expect(await transfer({ ':authority': 'bank.example', origin: evil })).toBe(403);
    expect(await transfer({ ':authority': 'bank.example', host: 'evil.example', origin: evil })).toBe(403);
    expect(await transfer({ ':authority': 'bank.example', host: 'evil.example', origin: 'null' })).toBe(403);
  });

  it('uses Host if a gateway sends no :authority', async () => {
    expect(await transfer({ host: 'bank.example', origin: 'http://bank.example' })).toBe(201);
    expect(await transfer({ host: 'bank.example', origin: 'http://evil.example' })).toBe(403);
  });

  it('signs a browser in that sends its own origin, as HTTP/1 does', async () => {
    const browser = bank.client();
    const headers = { origin: `http://127.0.0.1:${bank.port}`, 'sec-fetch-site': 'same-origin' };
    expect((await browser.tryLogin('alice', { headers })).status).toBe(200);
    expect(await browser.isSignedIn()).toBe(true);
  });

  it('takes a cookie header in crumbs for one, and two of our name for none', async () => {
    const me = (crumbs: string[]): Promise<number> =>
      ask({ ':path': '/api/me', ':authority': 'bank.example', cookie: crumbs });
    const session = cookie.split('; ').find((pair) => pair.startsWith(`${SESSION_COOKIE}=`))!;
    expect(await me(['a=b', session, 'c=d'])).toBe(200);
    expect(await me([session, session])).toBe(401);
    expect(await me([session, 'a=b', `${SESSION_COOKIE}=x`])).toBe(401);
  });
});
