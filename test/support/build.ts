import { execFile } from 'node:child_process';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

/**
 * Builds library and demo, as the first half of `npm start` does: once in a run of the tests, whoever asks first. Two
 * builds at a time would write the same files.
 */
export async function buildDemo(): Promise<void> {
  const folder = join(process.env['TEST_RUN_FOLDER']!, 'demo-build');
  const done = join(folder, 'done');
  const failed = join(folder, 'failed');
  if (await isFirst(folder)) {
    try {
      await promisify(execFile)('npm', ['run', '--silent', 'build']);
      await writeFile(done, '');
    } catch (error) {
      const { stdout } = error as { stdout?: string };
      await writeFile(failed, '');
      throw new Error(`the build failed:\n${stdout}`, { cause: error });
    }
  }
  while (!(await exists(done))) {
    if (await exists(failed)) throw new Error('the build failed in another test file');
    await delay(100);
  }
}

async function isFirst(folder: string): Promise<boolean> {
  try {
    await mkdir(folder);
    return true;
  } catch {
    return false;
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
