import { setTimeout as delay } from 'node:timers/promises';

/**
 * The limit, in milliseconds, of what waits for builds and installations: they end by themselves, well or with an
 * error, and how soon is up to the machine. The limit only ends what hangs.
 */
export const PATIENCE = 15 * 60_000;

/** Waits until a condition holds: looks again every few milliseconds, for at most 20 seconds. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let look = 0; look < 4000; look += 1) {
    if (await holds()) return;
    await delay(5);
  }
  throw new Error('what was waited for has not come');
}
