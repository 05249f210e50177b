import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { BankClient } from '../support/bank-client.js';
import { EVERYWHERE, type Bank } from '../support/bank.js';
import { OWN, ThrottledBank } from '../support/throttled-bank.js';

describe.each(EVERYWHERE)('addresses of clients on $adapter with $store', (where) => {
  const at = ThrottledBank.forEachTest(where);

  it('that are not known share one count, lock no owner out by a few guesses, and are reported once', async () => {
    const socket = await listenOnSocket(at.bank);
    try {
      const client = (): BankClient => new BankClient(socket.path);
      const login = async (name: string): Promise<number> => (await client().tryLogin(name)).status;
      const guess = async (name: string): Promise<number> =>
        (await client().post('/auth/login', { email: `${name}@example.com`, password: 'a wrong guess' })).status;
      const warnings = (): string[] => at.bank.log.filter((line) => line.includes('no address'));
      expect(warnings()).toEqual([]);
      expect(await login('alice')).toBe(200);
      for (let i = 0; i < 5; i += 1) expect(await guess('alice')).toBe(401);
      expect(await login('alice')).toBe(200);
      for (let i = 0; i < 3; i += 1) expect(await guess(`customer${i}`)).toBe(401);
      expect(await login('bob')).toBe(429);
      expect(at.bank.events.at(-1)).toMatchObject({ type: 'login.throttled', scope: 'address', userId: 'bob' });
      // who has an address is not part of it
      expect((await at.login('bob')).status).toBe(200);
      expect(warnings()).toHaveLength(1);
    } finally {
      await socket.close();
    }
  });

  it('that are not known are no stranger’s way past the count of an account', async () => {
    const socket = await listenOnSocket(at.bank);
    try {
      await at.login('alice', OWN);
      const owner = new BankClient(socket.path);
      await owner.login('alice');
      await at.fillCountOf('alice');
      expect((await new BankClient(socket.path).tryLogin('alice')).status).toBe(429);
      expect((await owner.tryLogin('alice')).status).toBe(200);
    } finally {
      await socket.close();
    }
  });

  it('of IPv4 behind NAT64 are each their own', async () => {
    for (let i = 1; i <= 8; i += 1) expect((await at.guess(`customer${i}`, '64:ff9b::c000:201')).status).toBe(401);
    expect((await at.login('bob', '64:ff9b::192.0.2.1')).status).toBe(429);
    expect((await at.login('bob', '192.0.2.1')).status).toBe(429);
    expect((await at.login('bob', '64:ff9b::192.0.2.2')).status).toBe(200);
  });

  it('of one IPv6 site are refused together after twice as many failures, from any of its networks', async () => {
    const host = (network: number): string => `2001:db8:7:${(0x4200 + network).toString(16)}::1`;
    for (let i = 0; i < 16; i += 1) expect((await at.guess(`customer${i}`, host(i))).status).toBe(401);
    expect((await at.login('bob', host(0xff))).status).toBe(429);
    expect(at.bank.events.at(-1)).toMatchObject({ type: 'login.throttled', scope: 'address' });
    expect((await at.login('bob', host(0x100))).status).toBe(200);
  });

  it('that somebody has collected are bounded together', async () => {
    const collected = Array.from({ length: 8 }, (_, i) => `192.0.2.${100 + i}`);
    for (const ip of [OWN, ...collected]) expect((await at.login('alice', ip)).status).toBe(200);
    const owner = at.client();
    await at.login('alice', OWN, owner);
    const verdicts: number[] = [];
    for (const ip of collected) {
      for (let guess = 0; guess < 2; guess += 1) verdicts.push((await at.guess('alice', ip)).status);
    }
    // as many from all known addresses as from all strangers, and not two from each
    expect(verdicts.filter((status) => status === 401)).toHaveLength(6 + 6);
    expect((await at.login('alice', collected[0])).status).toBe(429);
    expect((await at.login('alice', OWN, owner)).status).toBe(200);
    expect((await at.login('bob', collected[0])).status).toBe(200);
  });

  it('are stored and reported with at most 64 characters', async () => {
    const long = 'x'.repeat(500);
    const client = at.client();
    const answer = await at.login('alice', long, client);
    expect((answer.json as { session: { ip: string } }).session.ip).toBe('x'.repeat(64));
    const listed = (await client.get('/auth/sessions')).json as { ip: string; current: boolean }[];
    expect(listed.find(({ current }) => current)?.ip).toBe('x'.repeat(64));
    expect(at.bank.events[0]).toMatchObject({ type: 'session.created', client: { ip: 'x'.repeat(64) } });
  });
});

/** Has a node take connections of a Unix socket as well. */
async function listenOnSocket({ app }: Bank): Promise<{ readonly path: string; close(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'bank-'));
  const path = join(folder, 'http.sock');
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket.on('close', () => sockets.delete(socket)));
    (app.getHttpServer() as Server).emit('connection', socket);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    path,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true });
    },
  };
}
