import 'reflect-metadata';
import { CreateSessionAuthTables, UpgradeSessionAuthTables } from 'nestjs-session-auth/typeorm';
import { DataSource } from 'typeorm';

export function sourceOf(url) {
  return new DataSource({
    type: 'postgres',
    url,
    migrations: [CreateSessionAuthTables, UpgradeSessionAuthTables],
    migrationsTransactionMode: 'each',
  });
}

/** What the command of TypeORM works with. */
export default sourceOf(process.env['STACK_DATABASE_URL']);
