import { execFileSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { drizzle } from 'drizzle-orm/node-postgres';
import { migrate } from 'drizzle-orm/node-postgres/migrator';
import { createTablesSql } from 'nestjs-session-auth/postgres';
import pg from 'pg';
import { applicationHolds, migrationHolds, storesHold } from './contracts.mjs';
import { drizzleExecutor } from './executor.js';

async function open(connectionString) {
  const pool = new pg.Pool({ connectionString });
  return { source: drizzleExecutor(drizzle(pool)), close: () => pool.end() };
}

storesHold('Drizzle', open);
applicationHolds('Drizzle', open);

const kit = (...args) => execFileSync('npx', ['drizzle-kit', ...args], { encoding: 'utf8', stdio: 'pipe' });
let migrationsFolder;

migrationHolds('Drizzle', async (connectionString) => {
  writeFileSync('schema.js', `export {};\n`);
  writeFileSync(
    'drizzle.config.js',
    `export default ${JSON.stringify({
      dialect: 'postgresql',
      schema: './schema.js',
      out: './migrations',
      dbCredentials: { url: connectionString },
      tablesFilter: ['!session_auth_*'],
    })};\n`,
  );
  if (migrationsFolder === undefined) {
    kit('generate', '--custom', '--name=session-auth');
    migrationsFolder = 'migrations';
    const [made] = readdirSync(migrationsFolder).filter((file) => file.endsWith('.sql'));
    writeFileSync(join(migrationsFolder, made), createTablesSql());
  }
  const pool = new pg.Pool({ connectionString });
  await migrate(drizzle(pool), { migrationsFolder });
  await pool.end();
  // the kit, which drops what it does not know, leaves them alone
  kit('push', '--force');
});
