import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { INestApplication, ModuleMetadata, Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import bcrypt from 'bcrypt';
import type { HttpAdapterName } from '../../src/config/bank-config.js';
import { makeHttpAdapter } from '../../src/http-adapter.js';
import { BankClient, type Answer } from './bank-client.js';

const LOWEST_COST = 4;
const { hash } = bcrypt;

/** Ada of the quick start, whose users most examples have. */
export const ADA = { email: 'ada@example.com', password: 'correct horse battery staple' };

/** An example that runs. */
export interface ExampleApp {
  readonly app: INestApplication;
  readonly port: number;
  client(): BankClient;
  close(): Promise<void>;
}

/** How an example is run. */
export interface ExampleSetup {
  readonly adapter?: HttpAdapterName;
  /** What stands beside the example's module. */
  readonly beside?: ModuleMetadata;
  readonly set?: (app: INestApplication) => void;
}

/**
 * Runs the module of an example on a free port. Until it is closed, bcrypt hashes at its lowest cost: that of
 * production takes a quarter of a second of CPU for each password.
 */
export async function startExample(module: Type<object>, setup: ExampleSetup = {}): Promise<ExampleApp> {
  const { adapter = 'express', beside = {}, set } = setup;
  bcrypt.hash = (password: string | Buffer) => hash(password, LOWEST_COST);
  const testing = await Test.createTestingModule({ ...beside, imports: [module, ...(beside.imports ?? [])] }).compile();
  testing.useLogger(false);
  const app = testing.createNestApplication(makeHttpAdapter(adapter));
  set?.(app);
  await app.listen(0, '127.0.0.1');
  const { port } = (app.getHttpServer() as Server).address() as AddressInfo;
  const close = async (): Promise<void> => {
    bcrypt.hash = hash;
    await app.close();
  };
  return { app, port, client: () => new BankClient(port), close };
}

/** Logs Ada in. */
export function logIn(client: BankClient, more: Partial<typeof ADA> & { rememberMe?: boolean } = {}): Promise<Answer> {
  return client.post('/auth/login', { ...ADA, ...more });
}
