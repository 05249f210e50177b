import { afterEach, describe, expect, it } from '@jest/globals';
import { signInAs } from 'nestjs-session-auth/testing';
import { BankClient, SESSION_COOKIE, send } from '../support/bank-client.js';
import { closeApps } from '../support/door-app.js';
import { forgeries } from '../support/forged-cookies.js';
import { ADAPTERS } from '../support/http-server.js';
import { ALICE, startNode, type SocketNode, type SocketSetup } from '../support/socket-app.js';
import { opening, socketsOf, WAYS, type Refused } from '../support/socket-client.js';
import { SteeredStore } from '../support/steered-store.js';

type Headers = Readonly<Record<string, string>>;

const EVERY = ADAPTERS.flatMap((adapter) => WAYS.map((way) => ({ adapter, way })));

describe.each(EVERY)('what opens a connection by $way on $adapter', ({ adapter, way }) => {
  const nodes: SocketNode[] = [];

  afterEach(async () => {
    for (const { app } of nodes.splice(0)) await app.close();
    await closeApps();
  });

  const start = async (setup: Partial<SocketSetup> = {}): Promise<SocketNode> => {
    const node = await startNode({ adapter: adapter, sockets: socketsOf(way), ...setup });
    nodes.push(node);
    return node;
  };

  const OPENED = way === 'polling' ? 200 : 101;

  const statusOf = async ({ port }: SocketNode, headers: Headers): Promise<number> =>
    (await opening(way, port, headers)).status;

  /** What a guarded route answers to the same cookie, but for what only HTTP has. */
  const expectAsOverHttp = async (node: SocketNode, headers: Headers): Promise<Refused> => {
    const refused = await opening(way, node.port, headers);
    const { status, json } = await send(node.port, 'GET', '/over-http/guarded', { headers });
    expect({ status: refused.status, json: JSON.parse(refused.body) as unknown }).toEqual({ status, json });
    expect(refused.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'content-length': String(Buffer.byteLength(refused.body)),
      'cache-control': 'no-store',
    });
    return refused;
  };

  const FORBIDDEN = { statusCode: 403, code: 'csrf_failed', message: expect.any(String), realm: 'default' };

  it('is refused with 403 where a page of another origin sends it, and its session is not looked for', async () => {
    const node = await start({ options: { csrf: { trustedOrigins: ['https://shop.example'] } } });
    const { cookie } = await signInAs(node.app, ALICE);
    const own = `http://127.0.0.1:${node.port}`;
    const open: readonly Headers[] = [
      {},
      { origin: own },
      { origin: own, 'sec-fetch-site': 'same-origin' },
      { origin: 'https://shop.example', 'sec-fetch-site': 'cross-site' },
      { host: 'bank.example', origin: 'http://bank.example' },
    ];
    for (const headers of open)
      expect([headers, await statusOf(node, { cookie, ...headers })]).toEqual([headers, OPENED]);
    const foreign: readonly Headers[] = [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: 'null', 'sec-fetch-site': 'same-origin' },
      { origin: `https://127.0.0.1:${node.port}` },
      { origin: `http://localhost:${node.port}` },
      { origin: 'http://127.0.0.1' },
      { origin: `${own}, ${own}` },
      { origin: own, 'sec-fetch-site': 'cross-site' },
      { host: 'bank.example', origin: 'http://www.bank.example', 'sec-fetch-site': 'same-site' },
      { host: 'bank.example', origin: 'http://bank.example.evil.example' },
      { origin: 'http://shop.example' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      // an image of a page of another site, in a browser that says nothing else
      { referer: 'https://evil.example/page' },
      { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https', origin: 'https://evil.example' },
    ];
    for (const headers of foreign) {
      const refused = await opening(way, node.port, { cookie, ...headers });
      expect([headers, refused.status, JSON.parse(refused.body)]).toEqual([headers, 403, FORBIDDEN]);
    }
    expect(node.events.filter(({ type }) => type === 'csrf.rejected')).toHaveLength(foreign.length);
  });

  it('has the origin and the address that a proxy tells, where the adapter trusts it', async () => {
    const forwarded = {
      'x-forwarded-for': '203.0.113.9',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'bank.example',
    };
    const behind = await start({ trustProxy: true });
    const alone = await start();
    const named = await start({ options: { csrf: { publicOrigin: 'https://bank.example' } } });
    const opens = async (node: SocketNode, origin: string): Promise<boolean> => {
      const { cookie } = await signInAs(node.app, ALICE);
      return (await statusOf(node, { cookie, ...forwarded, origin })) === OPENED;
    };
    const direct = ({ port }: SocketNode): string => `http://127.0.0.1:${port}`;
    expect(await opens(behind, 'https://bank.example')).toBe(true);
    expect(await opens(behind, 'http://bank.example')).toBe(false);
    expect(await opens(behind, direct(behind))).toBe(false);
    expect(await opens(alone, 'https://bank.example')).toBe(false);
    expect(await opens(alone, direct(alone))).toBe(true);
    expect(await opens(named, 'https://bank.example')).toBe(true);
    expect(await opens(named, direct(named))).toBe(false);
    const addressOf = ({ events }: SocketNode): unknown =>
      events.find(({ type }) => type === 'csrf.rejected')?.client?.ip?.replace('::ffff:', '');
    expect([addressOf(behind), addressOf(alone)]).toEqual(['203.0.113.9', '127.0.0.1']);
  });

  it('is refused with 401 as over HTTP, for every defect of its cookie', async () => {
    const node = await start({ options: { lifetime: { idle: '10m' } } });
    const stranger = await start({ options: { secrets: ['another secret that everybody may know'] } });
    const { cookie } = await signInAs(node.app, ALICE);
    const sealed = cookie.slice(SESSION_COOKIE.length + 1);
    const ended = new BankClient(node.port);
    await ended.get('/over-http/login');
    const { cookie: endedCookie } = ended;
    await ended.get('/over-http/logout');
    const rotated = new BankClient(node.port);
    await rotated.get('/over-http/login');
    const { cookie: replacedCookie } = rotated;
    await rotated.get('/over-http/rotate');
    await rotated.get('/over-http/guarded');
    node.clock.advance(10_001);
    const proved = new BankClient(node.port);
    await proved.get('/over-http/login');
    const { cookie: retiredCookie } = proved;
    await proved.get('/over-http/prove');
    const wrong: readonly Headers[] = [
      {},
      { cookie: 'theme=dark' },
      { cookie: (await signInAs(stranger.app, ALICE)).cookie },
      { cookie: `${SESSION_COOKIE}=${forgeries(sealed, 1)[0]!}` },
      { cookie: endedCookie },
      { cookie: replacedCookie },
      { cookie: retiredCookie },
      { cookie: `${SESSION_COOKIE}=planted; ${cookie}` },
    ];
    for (const headers of wrong) {
      expect([headers, await statusOf(node, headers)]).toEqual([headers, 401]);
      await expectAsOverHttp(node, headers);
    }
    for (const client of [rotated, proved]) expect(await statusOf(node, { cookie: client.cookie })).toBe(OPENED);
    node.clock.advance(600_001);
    expect((await expectAsOverHttp(node, { cookie })).status).toBe(401);
  });

  it('is refused with 401 on a device that is only remembered, whose token is not spent', async () => {
    const node = await start({ options: { rememberMe: {} } });
    const alice = new BankClient(node.port);
    await alice.get('/over-http/remembered');
    alice.restart();
    expect(await statusOf(node, { cookie: alice.cookie })).toBe(401);
    expect(node.events.map(({ type }) => type)).not.toContain('remember_me.used');
    expect((await alice.get('/over-http/guarded')).status).toBe(200);
    expect(await statusOf(node, { cookie: alice.cookie })).toBe(OPENED);
  });

  it('is refused with 503 while the store is down, also where it needs no session', async () => {
    for (const anonymous of ['refuse', 'allow'] as const) {
      const store = new SteeredStore();
      const node = await start({ options: { storage: { sessions: { useValue: store } } }, connections: { anonymous } });
      const { cookie } = await signInAs(node.app, ALICE);
      store.before = () => Promise.reject(new Error('a secret of the store'));
      const refused = await expectAsOverHttp(node, { cookie });
      expect(refused.status).toBe(503);
      expect(refused.headers['retry-after']).toMatch(/^\d+$/);
      expect(refused.body).not.toContain('secret');
      store.before = undefined;
      expect(await statusOf(node, { cookie })).toBe(OPENED);
    }
  });

  it('is opened without a session where that is allowed, and not from another origin', async () => {
    const node = await start({ connections: { anonymous: 'allow' } });
    expect(await statusOf(node, {})).toBe(OPENED);
    expect(await statusOf(node, { cookie: `${SESSION_COOKIE}=planted` })).toBe(OPENED);
    expect(await statusOf(node, { origin: 'https://evil.example' })).toBe(403);
  });

  it('is compared by the headers that came, and ends no session when they differ', async () => {
    const headers = ['user-agent', 'accept-language', 'x-device'];
    const node = await start({ options: { fingerprint: { headers, onMismatch: 'destroy' } } });
    const browser = { 'user-agent': 'Mozilla/5.0 Firefox/140.0', 'accept-language': 'de', 'x-device': 'one' };
    const { cookie } = await signInAs(node.app, ALICE, { headers: browser });
    expect(await statusOf(node, { cookie })).toBe(OPENED);
    expect(await statusOf(node, { cookie, ...browser })).toBe(OPENED);
    expect(await statusOf(node, { cookie, 'x-device': 'another' })).toBe(401);
    expect(node.events.at(-1)).toMatchObject({
      type: 'session.fingerprint_mismatch',
      signals: ['x-device'],
      action: 'reject',
    });
    expect(await statusOf(node, { cookie, ...browser })).toBe(OPENED);
  });
});
