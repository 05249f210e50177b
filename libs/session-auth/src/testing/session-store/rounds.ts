import type { Backend } from './backend.js';

const ROUNDS = 40;

/** Plays a race again and again: which call comes first is not the test's to say. */
export async function forEachRound(
  backend: Backend,
  play: (backend: Backend, round: number) => Promise<void>,
): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) await play(backend, round);
}

/** Starts two calls at once, each of them first in half of the rounds. */
export async function inEitherOrder<A, B>(round: number, a: () => Promise<A>, b: () => Promise<B>): Promise<[A, B]> {
  // Four rounds to a cycle, as calls take nodes in turn by round: each order meets each node.
  if (round % 4 < 2) return Promise.all([a(), b()]);
  const [second, first] = await Promise.all([b(), a()]);
  return [first, second];
}
