import mysql from 'mysql2/promise';

/* Databases of the MariaDB that the stacks run on. */
const SERVER = process.env['STACK_MYSQL_URL'];

/** Makes an empty database and returns its URL. */
export async function makeMysqlDatabase() {
  const name = `stack_${Math.random().toString(36).slice(2)}`;
  await runOnMysql(SERVER, `CREATE DATABASE ${name}`);
  return `${SERVER}/${name}`;
}

/** Runs statements, each of which may be several. */
export async function runOnMysql(url, text) {
  const connection = await mysql.createConnection({ uri: url, multipleStatements: true });
  try {
    return (await connection.query(text))[0];
  } finally {
    await connection.end();
  }
}
