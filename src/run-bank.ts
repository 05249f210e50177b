import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import { NestFactory } from '@nestjs/core';
import { serveApiDocument } from './api-document.js';
import { BankModule } from './bank.module.js';
import type { BankConfig } from './config/bank-config.js';
import { makeHttpAdapter } from './http-adapter.js';
import { openBankStorage } from './storage/bank-storage.js';
import { STAFF_ACCOUNTS } from './office/staff-users.service.js';
import { DEMO_ACCOUNTS } from './users/bank-users.service.js';

const print = (line: string): void => void process.stdout.write(`${line}\n`);

/**
 * Runs the bank until a signal ends it; resolves once it is open.
 *
 * @param fail called where it cannot be ended in good order
 */
export async function runBank(config: BankConfig, fail: (error: unknown) => never): Promise<void> {
  const storage = await openBankStorage(config, print);
  const module = BankModule.register({ secrets: config.secrets, storage: storage.storage });
  const app = await NestFactory.create(module, makeHttpAdapter(config.httpAdapter), {
    logger: ['error', 'warn', 'log'],
    abortOnError: false,
  }).catch(async (error: unknown) => {
    await storage.close();
    throw error;
  });

  const stop = async (): Promise<void> => {
    await app.close();
    await storage.close();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      print(`${signal}: finishing what is under way`);
      stop().then(
        () => process.exit(0),
        (error: unknown) => fail(error),
      );
    });
  }

  serveApiDocument(app);
  await app.listen(config.port);
  const { port } = (app.getHttpServer() as Server).address() as AddressInfo;
  print(
    [
      '',
      `Example Bank is open: http://localhost:${port} (${config.httpAdapter}, sessions in ${storage.description})`,
      ...(config.secretIsTemporary
        ? ['SESSION_SECRET is not set: this run has made up one, so cookies end with it.']
        : []),
      ...DEMO_ACCOUNTS.map(({ email, password }) => `  ${email.padEnd(18)} ${password}`),
      'Its back office, for staff: /office',
      ...STAFF_ACCOUNTS.map(({ email, password }) => `  ${email.padEnd(25)} ${password}`),
    ].join('\n'),
  );
}
