import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * Does something once in a run of the tests, in the process that asks first; the others wait for it.
 *
 * @param work gets a folder of its own, which goes with the run
 * @returns that folder
 */
export async function onceInRun(name: string, work: (folder: string) => Promise<unknown>): Promise<string> {
  const folder = join(process.env['TEST_RUN_FOLDER']!, name);
  const done = `${folder}.done`;
  const failed = `${folder}.failed`;
  if (await isFirst(folder)) {
    try {
      await work(folder);
      await writeFile(done, '');
    } catch (error) {
      await writeFile(failed, String(error));
      throw error;
    }
  }
  while (!(await exists(done))) {
    if (await exists(failed)) throw new Error(`in another test file: ${await readFile(failed, 'utf8')}`);
    await delay(100);
  }
  return folder;
}

async function isFirst(folder: string): Promise<boolean> {
  try {
    await mkdir(folder);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
