import { performance } from 'node:perf_hooks';

/*
 * A process of the lowest priority that never sleeps, until its parent is gone: what it runs on does not sleep either.
 */
const TURN = 5;

function spin(): void {
  const end = performance.now() + TURN;
  while (performance.now() < end);
  setImmediate(spin);
}

process.on('disconnect', () => process.exit());
spin();
