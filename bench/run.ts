import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { DRIVER_CASES, NEAR_CACHE_CASES } from './cases.ts';
import { compare, comparisonTables } from './comparison.ts';
import { measure, measureCases } from './measure.ts';
import type { Results } from './measured.ts';
import { nearCacheWork } from './near-cache/near-cache-work.ts';
import { installPeers, packageVersions } from './peers.ts';
import { buildRevision } from './processes/revision-build.ts';
import { Stores } from './processes/stores.ts';
import { publish, replaceBlock, save } from './report/publish.ts';
import { nearCacheTables } from './report/near-cache-tables.ts';
import { driverTables, markdownOf } from './report/tables.ts';
import type { Effort } from './rounds.ts';

/*
 *   npm run bench                             all contenders against each other, a good quarter of an hour
 *   npm run bench -- quick                    fewer and shorter rounds, about six minutes
 *   npm run bench -- publish                  … and the figures go into docs/
 *   npm run bench -- report                   the figures of the last run again (with publish: into docs/)
 *   npm run bench -- drivers                  the stores and drivers of this tree's library, without peers
 *   npm run bench -- near-cache               the near-cache of this tree's library, without peers
 *   npm run bench -- quick --against HEAD~3   this tree's library against that of another revision, no peers
 */
const BENCH = new URL('../../', import.meta.url);
const RESULTS = new URL('results/', BENCH);
const DOCS = new URL('../docs/', BENCH);
const REPOSITORY = fileURLToPath(new URL('../', BENCH));

const FULL: Effort = { quick: false, rounds: 15, window: 1000, rewarm: 500, warmUp: { window: 500, most: 20 } };
const QUICK: Effort = { quick: true, rounds: 5, window: 1000, rewarm: 250, warmUp: { window: 300, most: 12 } };
/** Fewer contenders, but differences of a few hundredths. */
const AGAINST = { full: 61, quick: 25 };

const { values, positionals } = parseArgs({ allowPositionals: true, options: { against: { type: 'string' } } });
const known = values.against === undefined ? ['quick', 'publish', 'report', 'drivers', 'near-cache'] : ['quick'];
const unknown = positionals.find((word) => !known.includes(word));
if (unknown !== undefined) throw new Error(`unknown: ${unknown}; known are ${known.join(', ')}`);
const wanted = new Set(positionals);
const effort = wanted.has('quick') ? QUICK : FULL;

if (wanted.has('drivers')) await drivers();
else if (wanted.has('near-cache')) await nearCache();
else if (values.against === undefined) await sideBySide();
else await against(values.against);

async function sideBySide(): Promise<void> {
  const results = wanted.has('report') ? await lastResults() : await run();
  process.stdout.write(`${markdownOf(results)}\n`);
  if (wanted.has('publish')) await publish(results, DOCS);
}

async function run(): Promise<Results> {
  installPeers(BENCH, print);
  return withStores(async (stores) => {
    const measured = await measure(stores, effort, print);
    const all = { ...measured, versions: { ...measured.versions, ...packageVersions(BENCH) } };
    await save(all, RESULTS);
    return all;
  });
}

async function drivers(): Promise<void> {
  const cases = await withStores((stores) => measureCases(DRIVER_CASES, stores, effort, print));
  process.stdout.write(`${driverTables(cases)}\n`);
}

async function nearCache(): Promise<void> {
  const text = await withStores(async (stores) => {
    const cases = await measureCases(NEAR_CACHE_CASES, stores, effort, print);
    return nearCacheTables(cases, await nearCacheWork(stores, print));
  });
  process.stdout.write(`${text}\n`);
  if (wanted.has('publish')) await replaceBlock('near-cache', text, DOCS);
}

async function lastResults(): Promise<Results> {
  return JSON.parse(await readFile(new URL('results.json', RESULTS), 'utf8')) as Results;
}

async function against(revision: string): Promise<void> {
  const build = buildRevision(REPOSITORY, revision, print);
  const rounds = effort.quick ? AGAINST.quick : AGAINST.full;
  const comparison = await withStores((stores) => compare(stores, build, { ...effort, rounds }, print));
  const text = comparisonTables(comparison);
  process.stdout.write(`${text}\n`);
  await mkdir(RESULTS, { recursive: true });
  await writeFile(new URL('against.json', RESULTS), `${JSON.stringify(comparison, undefined, 2)}\n`);
  await writeFile(new URL('against.md', RESULTS), `${text}\n`);
}

async function withStores<T>(use: (stores: Stores) => Promise<T>): Promise<T> {
  const stores = await Stores.start(print);
  try {
    return await use(stores);
  } finally {
    await stores.stop();
  }
}

function print(line: string): void {
  process.stderr.write(`${line}\n`);
}
