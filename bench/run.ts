import { readFile } from 'node:fs/promises';
import { measure, type Effort } from './measure.ts';
import type { Results } from './measured.ts';
import { installPeers, packageVersions } from './peers.ts';
import { Stores } from './processes/stores.ts';
import { publish, save } from './report/publish.ts';
import { markdownOf } from './report/tables.ts';

/*
 *   npm run bench                     all contenders against each other, about a quarter of an hour
 *   npm run bench -- quick            fewer and shorter rounds, less than four minutes
 *   npm run bench -- publish          … and the figures go into docs/
 *   npm run bench -- report           the figures of the last run again (with publish: into docs/)
 */
const BENCH = new URL('../../', import.meta.url);
const RESULTS = new URL('results/', BENCH);
const DOCS = new URL('../docs/', BENCH);

const FULL: Effort = { quick: false, rounds: 7, window: 1500, warmUp: 4000, rewarm: 750 };
const QUICK: Effort = { quick: true, rounds: 3, window: 500, warmUp: 500, rewarm: 500 };

const wanted = new Set(process.argv.slice(2));
const unknown = [...wanted].find((word) => !['quick', 'publish', 'report'].includes(word));
if (unknown !== undefined) throw new Error(`unknown: ${unknown}; known are quick, publish, report`);

const results = wanted.has('report') ? await lastResults() : await run(wanted.has('quick') ? QUICK : FULL);
process.stdout.write(`${markdownOf(results)}\n`);
if (wanted.has('publish')) await publish(results, DOCS);

async function run(effort: Effort): Promise<Results> {
  installPeers(BENCH, print);
  const stores = await Stores.start(print);
  try {
    const measured = await measure(stores, effort, print);
    const all = { ...measured, versions: { ...measured.versions, ...packageVersions(BENCH) } };
    await save(all, RESULTS);
    return all;
  } finally {
    await stores.stop();
  }
}

async function lastResults(): Promise<Results> {
  return JSON.parse(await readFile(new URL('results.json', RESULTS), 'utf8')) as Results;
}

function print(line: string): void {
  process.stderr.write(`${line}\n`);
}
