import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Redis } from 'ioredis';
import { SessionAuthModule } from 'nestjs-session-auth';
import { postgresStorage } from 'nestjs-session-auth/postgres';
import { redisStorage } from 'nestjs-session-auth/redis';
import pg from 'pg';
import { BANK, bankSessions } from '../../dist/bank.module.js';

/*
 * A node of the bank with a near-cache as a process of its own, which a test can stop and let go on: on REDIS_URL or
 * DATABASE_URL, with BOUND and CONSISTENCY. Prints the port that it listens on.
 */
class NodeModule {}

const { REDIS_URL, DATABASE_URL, SECRET, BOUND, CONSISTENCY } = process.env;
const ignored = () => undefined;
const storage =
  DATABASE_URL === undefined
    ? redisStorage({ client: new Redis(REDIS_URL).on('error', ignored), link: true })
    : postgresStorage({
        pool: new pg.Pool({ connectionString: DATABASE_URL }).on('error', ignored),
        link: { url: DATABASE_URL },
      });
const sessions = {
  ...bankSessions({ secrets: [SECRET], storage }),
  nearCache: { bound: Number(BOUND), consistency: CONSISTENCY },
  fingerprint: false,
};
Module({ imports: [SessionAuthModule.forRoot(sessions), ...BANK.imports], controllers: BANK.controllers })(NodeModule);

const app = await NestFactory.create(NodeModule, { logger: false });
await app.listen(0, '127.0.0.1');
process.stdout.write(`${new URL(await app.getUrl()).port}\n`);
