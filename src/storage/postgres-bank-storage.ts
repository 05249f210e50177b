import { CreateSessionAuthTables, typeOrmStorage } from 'nestjs-session-auth/typeorm';
import { DataSource } from 'typeorm';
import { resolvePostgres } from '../local-services/local-postgres.js';
import type { BankStorage } from './bank-storage.js';
import { POSTGRES_OPTIONS } from './postgres-options.js';

/** Opens the PostgreSQL of `DATABASE_URL`, or one that is started for the run, and makes its tables. */
export async function openPostgres(log: (line: string) => void): Promise<BankStorage> {
  const service = await resolvePostgres({ log });
  const dataSource = new DataSource({
    ...POSTGRES_OPTIONS,
    type: 'postgres',
    url: service.url,
    migrations: [CreateSessionAuthTables],
  });
  const close = async (): Promise<void> => {
    if (dataSource.isInitialized) await dataSource.destroy();
    await service.stop();
  };
  try {
    await dataSource.initialize();
    for (const { name } of await dataSource.runMigrations()) log(`PostgreSQL: ran the migration ${name}`);
  } catch (error) {
    await close();
    throw error;
  }
  const { hostname, port, pathname } = new URL(service.url);
  return {
    storage: typeOrmStorage({ dataSource, link: true }),
    description: `PostgreSQL at ${hostname}:${port || 5432}${pathname}`,
    close,
  };
}
