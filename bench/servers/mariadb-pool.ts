import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createConnection, createPool } from 'mysql2/promise';
import { mysqlStorage, type MysqlStorage } from 'nestjs-session-auth/mysql';

/** A storage in a database of this name, which is made with its tables if it is not there. */
export async function openMariaDb(uri: string, database: string): Promise<MysqlStorage> {
  const connection = await createConnection({ uri, multipleStatements: true });
  await connection.query(`CREATE DATABASE IF NOT EXISTS ${database}; USE ${database}`);
  await connection.query(
    readFileSync(fileURLToPath(import.meta.resolve('nestjs-session-auth/mysql/schema.sql')), 'utf8'),
  );
  await connection.end();
  return mysqlStorage({ pool: createPool({ uri, database }) });
}
