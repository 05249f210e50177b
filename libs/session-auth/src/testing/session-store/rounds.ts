import type { Backend } from './backend.js';

const ROUNDS = 40;

/** Repeats a race: the test does not decide which call comes first. */
export async function forEachRound(
  backend: Backend,
  play: (backend: Backend, round: number) => Promise<void>,
): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) await play(backend, round);
}

/** Starts two calls at once, each of them first in half of the rounds. */
export async function inEitherOrder<A, B>(round: number, a: () => Promise<A>, b: () => Promise<B>): Promise<[A, B]> {
  // Four rounds to a cycle, because calls alternate between nodes by round: each order meets each node.
  if (round % 4 < 2) return Promise.all([a(), b()]);
  const [second, first] = await Promise.all([b(), a()]);
  return [first, second];
}
