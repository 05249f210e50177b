// Jest loads this file outside its module system: Node resolves the imports, hence the `.ts` endings, here and in
// the files that these import.
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resolvePostgres } from '../../src/local-services/local-postgres.ts';
import { resolveRedis } from '../../src/local-services/local-redis.ts';
import { stopTestServices, testServices } from './test-services.ts';

/** Starts one Redis and one PostgreSQL for the whole run. Without either, the run fails. */
export default async function globalSetup(): Promise<void> {
  process.env['TEST_RUN_FOLDER'] = await mkdtemp(join(tmpdir(), 'session-auth-tests-'));
  const log = (line: string): void => void process.stderr.write(`${line}\n`);
  const starts = { TEST_REDIS_URL: resolveRedis({ log }), TEST_DATABASE_URL: resolvePostgres({ log }) };
  await Promise.allSettled(Object.values(starts));
  const errors: unknown[] = [];
  for (const [variable, start] of Object.entries(starts)) {
    try {
      const service = await start;
      testServices.add(service);
      process.env[variable] = service.url;
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length === 0) return;
  await stopTestServices();
  throw errors.length === 1 ? errors[0] : new AggregateError(errors, errors.map(String).join('\n'));
}
