import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { editJson, logIn, makeProject, run, sessionOf, withApp } from './nest-add-project.mjs';

/*
 * `nest add` with each storage of STACK_STORAGES: the application is built and started with the real server, the account
 * that was printed logs in, and its session is still there after a restart.
 */
const HERE = import.meta.dirname;
const TEMPLATES = existsSync(join(HERE, 'project'))
  ? ['project']
  : readdirSync(join(HERE, 'projects')).map((name) => join('projects', name));
const HAS_TESTS = ['vitest', 'jest'].some((name) => existsSync(join(HERE, 'node_modules', name)));

/** Each storage: where `.env` has its address, and what a user does there before the first start. */
const STORAGES = {
  redis: { variable: 'REDIS_URL', prepare: () => Promise.resolve(process.env['STACK_REDIS_URL']) },
  postgres: {
    variable: 'DATABASE_URL',
    prepare: async (schema) => {
      const { makeDatabase, runOnPostgres } = await import('./postgres-database.mjs');
      const url = await makeDatabase({ tables: false });
      await runOnPostgres(url, schema());
      return url;
    },
  },
  typeorm: {
    variable: 'DATABASE_URL',
    prepare: async () => (await import('./postgres-database.mjs')).makeDatabase({ tables: false }),
  },
  mysql: {
    variable: 'MYSQL_URL',
    prepare: async (schema) => {
      const { makeMysqlDatabase, runOnMysql } = await import('./mysql-database.mjs');
      const url = await makeMysqlDatabase();
      await runOnMysql(url, schema());
      return url;
    },
  },
  sqlite: { variable: 'SQLITE_FILE', prepare: () => Promise.resolve(undefined) },
};

/** Adapts options to a stack that has no test runner, and another TypeScript than the project. */
function withoutTests(compilerOptions) {
  compilerOptions.types = ['node'];
  compilerOptions.rootDir = '.';
  delete compilerOptions.baseUrl;
}

/** Writes a variable of `.env`, as a user does. */
function setVariable(folder, name, value) {
  const path = join(folder, '.env');
  const before = readFileSync(path, 'utf8');
  assert.match(before, new RegExp(`^${name}=`, 'm'));
  writeFileSync(
    path,
    before.replace(new RegExp(`^${name}=.*$`, 'm'), () => `${name}=${value}`),
  );
}

for (const template of TEMPLATES) {
  for (const storage of process.env['STACK_STORAGES'].split(',')) {
    test(`nest add --storage ${storage}, in ${template}: a session outlives a restart`, async () => {
      const folder = makeProject(`${template.replace('/', '-')}-${storage}`, template);
      if (!HAS_TESTS) editJson(folder, 'tsconfig.json', ({ compilerOptions }) => withoutTests(compilerOptions));
      const { variable, prepare } = STORAGES[storage];
      const output = run(folder, 'npx', 'nest', 'add', 'nestjs-session-auth', '--skip-install', '--storage', storage);
      const password = /ada@example\.com, password: (\S+)/.exec(output)[1];
      // the file that the printed step names
      const schema = () => readFileSync(join(folder, /create the tables: .* (\S+schema\.sql)/.exec(output)[1]), 'utf8');
      const address = await prepare(schema);
      if (address !== undefined) setVariable(folder, variable, address);

      run(folder, 'npm', 'run', 'build');
      if (HAS_TESTS) assert.match(run(folder, 'npm', 'run', 'test:e2e'), /session-auth\.e2e-spec\.ts/);
      const cookie = await withApp(folder, {}, async (url) => {
        assert.equal((await logIn(url, 'wrong')).status, 401);
        const login = await logIn(url, password);
        assert.equal(login.status, 200);
        return login.cookie;
      });
      await withApp(folder, {}, async (url) => {
        assert.deepEqual(await sessionOf(url, cookie), [200, 'ada@example.com']);
      });
    });
  }
}
