import 'reflect-metadata';
import { CreateSessionAuthTables, UpgradeSessionAuthTables } from 'nestjs-session-auth/typeorm';
import { DataSource } from 'typeorm';

export function mysqlSourceOf(url) {
  return new DataSource({
    type: 'mariadb',
    url: url?.replace(/^mysql:/, 'mariadb:'),
    migrations: [CreateSessionAuthTables, UpgradeSessionAuthTables],
  });
}

/** What the command of TypeORM works with. */
export default mysqlSourceOf(process.env['STACK_DATABASE_URL']);
