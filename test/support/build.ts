import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { onceInRun } from './once-in-run.js';

/** Builds library and demo, as the first half of `npm start` does. Two builds at a time would write the same files. */
export async function buildDemo(): Promise<void> {
  await onceInRun('demo-build', async () => {
    try {
      await promisify(execFile)('npm', ['run', '--silent', 'build']);
    } catch (error) {
      const { stdout } = error as { stdout?: string };
      throw new Error(`the build failed:\n${stdout}`, { cause: error });
    }
  });
}
