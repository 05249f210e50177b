import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createSessionClient, type SessionClient } from 'nestjs-session-auth/client';
import { openBackend, startBank, type Bank } from '../support/bank.js';
import { bundle, ClientPageController, ELSEWHERE } from '../support/client-page.js';
import { fetchAsPage } from '../support/page-fetch.js';

const MINUTE = 60_000;
const ALICE = { email: 'alice@example.com', password: 'alice-demo-password' };

describe('the client outside of pages', () => {
  it('is made on a server without harm, keeps no process alive, and asks nobody', async () => {
    const script = `${await bundle('libs/session-auth/src/client/index.ts')}
      const client = createSessionClient();
      await client.session().catch(({ name }) => process.stdout.write(name));`;
    // the bundle exports by a name that is not in scope
    const local = script.replace(/export\s*\{(\w+) as createSessionClient\};/, 'const createSessionClient = $1;');
    const child = spawn(process.execPath, ['--input-type=module', '--eval', local]);
    let written = '';
    child.stdout.on('data', (chunk) => (written += String(chunk)));
    child.stderr.on('data', (chunk) => (written += String(chunk)));
    const [code] = (await once(child, 'exit')) as [number];
    expect([code, written]).toEqual([0, 'TypeError']);
  });
});

describe('the client, for endpoints on an origin that is not the page’s', () => {
  let bank: Bank;
  let client: SessionClient;
  let address: string;
  let restore: () => void;
  const seen: IncomingMessage['headers'][] = [];
  const other = createServer((request, response) => {
    seen.push(request.headers);
    response.writeHead(401, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ statusCode: 401, code: 'session_required' }));
  });
  const heard: string[] = [];

  beforeEach(async () => {
    bank = await startBank({
      adapter: 'express',
      backend: await openBackend('memory'),
      options: { lifetime: { rotateEvery: '15m' } },
      module: { controllers: [ClientPageController] },
    });
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    ELSEWHERE.address = `http://127.0.0.1:${(other.address() as AddressInfo).port}/`;
    address = `http://127.0.0.1:${bank.port}`;
    restore = fetchAsPage(address);
    seen.length = heard.length = 0;
    client = createSessionClient({
      path: `${address}/auth/`,
      on: { sessionRequired: () => heard.push('sessionRequired') },
    });
    await client.login(ALICE);
  });
  afterEach(async () => {
    restore();
    other.close();
    await once(other, 'close');
    await bank.close();
  });

  it('does not follow a redirect with the token', async () => {
    for (const path of ['led-away', 'led-on']) {
      const { status } = await client.fetch(`${address}/client-page/${path}`, { method: 'POST' });
      expect([path, status]).toEqual([path, 307]);
    }
    expect(seen).toEqual([]);
  });

  it('sends another origin nothing, and believes nothing that it says', async () => {
    for (const url of [ELSEWHERE.address, new URL(ELSEWHERE.address), new Request(ELSEWHERE.address)]) {
      expect((await client.fetch(url, { method: 'POST', body: 'a' })).status).toBe(401);
    }
    expect((await client.fetch(`${address}/client-page/led-away`)).status).toBe(401);
    expect(seen).toHaveLength(4);
    for (const headers of seen) expect(headers).not.toHaveProperty('x-csrf-token');
    expect(heard).toEqual([]);
  });

  it('takes an address that only begins as the origin does for another origin', async () => {
    const asked: unknown[] = [];
    const send = globalThis.fetch;
    globalThis.fetch = async (...request) => {
      asked.push(request);
      return new Response();
    };
    const ofBank = createSessionClient({ path: 'http://bank.test/auth' });
    for (const url of [
      'http://bank.test.example/',
      'http://bank.test:81/',
      'https://bank.test/',
      'http://a@bank.test.example/',
    ]) {
      asked.length = 0;
      const init = { method: 'POST' };
      await ofBank.fetch(url, init).catch(() => undefined);
      expect(asked).toEqual(url.includes('@') ? [] : [[url, init]]);
    }
    globalThis.fetch = send;
  });

  it('sends a stream again with all of it', async () => {
    bank.clock.advance(16 * MINUTE);
    await client.fetch(`${address}/api/me`);
    const parts = ['{"text":"', 'x'.repeat(50_000), '"}'];
    const body = new ReadableStream({
      pull(controller) {
        const part = parts.shift();
        if (part === undefined) controller.close();
        else controller.enqueue(new TextEncoder().encode(part));
      },
    });
    const headers = { 'content-type': 'application/json' };
    const response = await client.fetch(`${address}/client-page/echo`, {
      method: 'POST',
      headers,
      body,
      duplex: 'half',
    });
    expect(((await response.json()) as { text: string }).text).toHaveLength(50_000);
  });

  it('stops with its signal, and takes a verb for safe only by its full name', async () => {
    await expect(client.fetch(`${address}/api/me`, { signal: AbortSignal.abort() })).rejects.toThrow('abort');
    for (const method of ['PATCH', 'patch', 'FORGET', 'OPTIONSX']) {
      const asked: (string | null)[] = [];
      const send = globalThis.fetch;
      globalThis.fetch = async (input, init) => {
        asked.push((input as Request).headers.get('x-csrf-token'));
        return send(input, init);
      };
      await client.fetch(`${address}/api/preferences`, { method });
      globalThis.fetch = send;
      expect([method, asked[0]]).toEqual([method, expect.any(String)]);
    }
  });
});
