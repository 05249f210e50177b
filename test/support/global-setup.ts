// Jest loads this file outside its module system: Node resolves the imports, hence the `.ts` endings, here and in
// the files that these import.
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resolveMariaDb } from '../../src/local-services/local-mariadb.ts';
import { resolvePostgres } from '../../src/local-services/local-postgres.ts';
import { resolveRedis } from '../../src/local-services/local-redis.ts';
import { provisionChromium } from './chromium-provision.ts';
import { stopTestServices, testServices } from './test-services.ts';

/**
 * Starts one Redis, one PostgreSQL and one MariaDB for the whole run, and finds a Chromium. Without one of the servers
 * the run fails; without a browser the tests fail that ask for it.
 */
export default async function globalSetup(): Promise<void> {
  process.env['TEST_RUN_FOLDER'] = await mkdtemp(join(tmpdir(), 'session-auth-tests-'));
  const log = (line: string): void => void process.stderr.write(`${line}\n`);
  const starts = {
    TEST_REDIS_URL: resolveRedis({ log }),
    TEST_DATABASE_URL: resolvePostgres({ log }),
    TEST_MYSQL_URL: resolveMariaDb({ log }),
  };
  const [chromium] = await Promise.allSettled([provisionChromium(log), ...Object.values(starts)]);
  if (chromium.status === 'fulfilled') process.env['TEST_CHROMIUM_PATH'] = chromium.value;
  else process.env['TEST_CHROMIUM_MISSING'] = String(chromium.reason);
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
