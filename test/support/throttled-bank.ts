import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import type { LoginThrottleOptions } from 'nestjs-session-auth';
import type { Answer, BankClient } from './bank-client.js';
import { openBackend, startBank, type Backend, type Bank, type BankSetup, type StoreName } from './bank.js';
import { StoppedClock } from './manual-clock.js';

/** Low limits, so that a test need not guess long. */
export const LIMITS: LoginThrottleOptions = {
  client: { failures: 3, window: '15m', block: '1m', maxBlock: '2m' },
  address: { failures: 8, window: '15m' },
  account: { failures: 6, window: '15m' },
};
/** Where the owner of an account is. */
export const OWN = '203.0.113.7';
/** Where a stranger is. */
export const ELSEWHERE = '198.51.100.23';

/** A bank with low limits whose clients say their address: started anew for each test, on a backend that they share. */
export class ThrottledBank {
  backend!: Backend;
  clock!: StoppedClock;
  bank!: Bank;
  #secrets: string[] = [];
  #nodes: Bank[] = [];

  private constructor(private readonly adapter: BankSetup['adapter']) {}

  /** Declares the hooks that start and close it. */
  static forEachTest({ adapter, store }: { adapter: BankSetup['adapter']; store: StoreName }): ThrottledBank {
    const throttled = new ThrottledBank(adapter);
    beforeAll(async () => {
      throttled.backend = await openBackend(store);
    });
    beforeEach(async () => {
      throttled.#nodes = [];
      // what other tests counted is under other digests
      throttled.#secrets = [randomBytes(32).toString('base64')];
      throttled.clock = new StoppedClock();
      throttled.bank = await throttled.start();
    });
    afterEach(async () => {
      for (const node of throttled.#nodes) await node.close();
    });
    afterAll(() => throttled.backend.close());
    return throttled;
  }

  /** Starts one more node. */
  async start(options: BankSetup['options'] = {}, module: BankSetup['module'] = {}): Promise<Bank> {
    const node = await startBank({
      adapter: this.adapter,
      backend: this.backend,
      secrets: this.#secrets,
      clock: this.clock,
      trustProxy: true,
      options: { loginThrottle: LIMITS, concurrency: Infinity, ...options },
      module,
    });
    this.#nodes.push(node);
    return node;
  }

  client(): BankClient {
    return this.bank.client();
  }

  /** A wrong password. */
  guess(name: string, ip = OWN, client: BankClient = this.client()): Promise<Answer> {
    const email = name.includes('@') ? name : `${name}@example.com`;
    return client.post('/auth/login', { email, password: 'a wrong guess' }, from(ip));
  }

  /** The right password. */
  login(name: string, ip = OWN, client: BankClient = this.client()): Promise<Answer> {
    return client.tryLogin(name, from(ip));
  }

  /** Strangers from ever new addresses fail at an account until its own count is full. */
  async fillCountOf(name: string): Promise<void> {
    for (let i = 1; (await this.guess(name, `192.0.2.${i}`)).status === 401; i += 1) {
      if (i > 50) throw new Error(`the count of ${name} is never full`);
    }
  }
}

/** The request of a client at this address. */
export function from(ip: string): { headers: Record<string, string> } {
  return { headers: { 'x-forwarded-for': ip } };
}
