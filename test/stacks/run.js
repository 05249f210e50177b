import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLocalMariaDb } from '../../dist/local-services/local-mariadb.js';
import { startLocalPostgres } from '../../dist/local-services/local-postgres.js';
import { startLocalRedis } from '../../dist/local-services/local-redis.js';

/*
 * Tries the package in the projects of this folder, each with the libraries of one kind of application: what is to be
 * published is packed and installed there, and npm has to be content with all peers. Then their tests run.
 *
 *   npm run test:stacks                  npm run test:stacks -- prisma knex
 *
 * The root cannot have these libraries: TypeORM 0.3 and 1 are one package, and each brings others along.
 */
const ROOT = join(import.meta.dirname, '../..');
const LIBRARY = join(ROOT, 'libs/session-auth');
const EXAMPLES = join(ROOT, 'examples');
const { transpileModule, ModuleKind, ScriptTarget } = createRequire(import.meta.url)('typescript');

const say = (line) => process.stdout.write(`${line}\n`);
const isStack = (name) => existsSync(join(import.meta.dirname, name, 'package.json'));
const all = readdirSync(import.meta.dirname).filter(isStack);
const manifestOf = (name) => JSON.parse(readFileSync(join(import.meta.dirname, name, 'package.json'), 'utf8'));
const named = process.argv.slice(2);
const unknown = named.filter((name) => !all.includes(name));
if (unknown.length > 0) throw new Error(`no stack is named ${unknown.join(', ')}; there are ${all.join(', ')}`);

const chosen = named.length > 0 ? named : all;
const work = mkdtempSync(join(tmpdir(), 'stacks-'));
let postgres;
let mariadb;
let redis;
const failed = [];
try {
  const packed = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--pack-destination', work], { cwd: LIBRARY }).toString(),
  );
  const tarball = join(work, packed[0].filename);
  const areUsed = (...packages) =>
    chosen.some((name) => packages.some((each) => manifestOf(name).dependencies[each] !== undefined));
  if (areUsed('pg')) postgres = await startLocalPostgres({ log: say });
  if (areUsed('mysql2')) mariadb = await startLocalMariaDb({ log: say });
  if (areUsed('ioredis', 'redis', 'iovalkey')) redis = await startLocalRedis({ log: say });
  for (const name of chosen) if (!run(name, tarball)) failed.push(name);
} finally {
  for (const service of [postgres, mariadb, redis]) await service?.stop();
  rmSync(work, { recursive: true, force: true });
}
say(failed.length === 0 ? 'all stacks hold' : `these stacks do not hold: ${failed.join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;

/** Returns whether a stack holds. */
function run(name, tarball) {
  const folder = join(work, name);
  cpSync(join(import.meta.dirname, name), folder, { recursive: true });
  // what several stacks share
  for (const shared of readdirSync(import.meta.dirname).filter((each) => each !== 'run.js' && !isStack(each))) {
    cpSync(join(import.meta.dirname, shared), join(folder, shared), { recursive: true });
  }
  copyFileSync(join(ROOT, '.npmrc'), join(folder, '.npmrc'));
  const executor = join(EXAMPLES, 'postgresql-executors', `${name}.ts`);
  if (existsSync(executor)) compile(executor, join(folder, 'executor'));
  const { scripts, examples = [], projects = [] } = manifestOf(name);
  for (const each of examples) compileExample(each, folder);
  for (const each of projects) {
    cpSync(join(import.meta.dirname, each, 'project'), join(folder, 'projects', each), { recursive: true });
  }
  say(`\n${name}: installing`);
  const command = (program, ...args) => {
    const env = {
      ...process.env,
      STACK_ROOT: ROOT,
      STACK_POSTGRES_URL: postgres?.url,
      STACK_MYSQL_URL: mariadb?.url,
      STACK_REDIS_URL: redis?.url,
      PRISMA_SCHEMA_ENGINE_BINARY: '/bin/true',
    };
    const { status, stdout, stderr } = spawnSync(program, args, {
      cwd: folder,
      env,
      encoding: 'utf8',
      timeout: 900_000,
    });
    const output = `${stdout}${stderr}`;
    const holds = status === 0 && !/npm (?:warn|error).*(?:ERESOLVE|peer|nestjs-session-auth)/i.test(output);
    if (!holds) say(`${name}: ${program} ${args.join(' ')}: failed\n${output.slice(-20_000)}`);
    return { holds, output };
  };
  const steps = [
    ['npm', 'ci'],
    ['npm', 'install', '--no-save', '--strict-peer-deps', tarball],
    ...(scripts.prepare_stack === undefined ? [] : [['npm', 'run', 'prepare_stack']]),
    ['npm', 'test'],
    // tests of the root, with what is installed here
    ...(scripts.test_root === undefined ? [] : [['npm', 'run', 'test_root']]),
  ];
  const passed = [];
  for (const step of steps) {
    const { holds, output } = command(...step);
    if (!holds) return false;
    passed.push(...(output.match(/^ℹ pass \d+|^Tests: .*\d+ passed/gm) ?? []));
  }
  say(`${name}: ${passed.map((line) => line.replace(/^\W+/, '')).join('; ') || 'holds'}`);
  return true;
}

/** Writes the modules of an example below a folder. */
function compileExample(name, folder) {
  const target = join(folder, 'examples', name);
  mkdirSync(target, { recursive: true });
  for (const file of readdirSync(join(EXAMPLES, name))) {
    compile(join(EXAMPLES, name, file), join(target, file.replace(/\.ts$/, '')));
  }
}

/** Writes a module of TypeScript as JavaScript, and beside it what it was made of, for the check of its types. */
function compile(source, target) {
  const text = readFileSync(source, 'utf8');
  const options = {
    module: ModuleKind.ESNext,
    target: ScriptTarget.ES2022,
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
  };
  writeFileSync(`${target}.js`, transpileModule(text, { compilerOptions: options }).outputText);
  writeFileSync(`${target}.ts`, text);
}
