import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import { NestFactory } from '@nestjs/core';
import { serveApiDocument } from './api-document.js';
import { BankModule } from './bank.module.js';
import { BankConfigError, readBankConfig } from './config/bank-config.js';
import { makeHttpAdapter } from './http-adapter.js';
import { openBankStorage } from './storage/bank-storage.js';
import { DEMO_ACCOUNTS } from './users/bank-users.service.js';

const print = (line: string): void => void process.stdout.write(`${line}\n`);

async function main(): Promise<void> {
  const config = readBankConfig(process.env, () => randomBytes(32).toString('base64url'));
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
    ].join('\n'),
  );
}

function fail(error: unknown): void {
  const known = error instanceof BankConfigError || (error instanceof Error && error.name === 'SessionAuthError');
  process.stderr.write(
    `Example Bank cannot start. ${known ? error.message : error instanceof Error ? error.stack : String(error)}\n`,
  );
  process.exit(1);
}

main().catch(fail);
