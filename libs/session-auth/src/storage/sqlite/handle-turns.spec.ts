import { describe, expect, it, jest } from '@jest/globals';
import { HandleTurns } from './handle-turns.js';
import type { SqliteConnection } from './sqlite-handle.js';

/** A handle with a transaction of the application that stays open for this many checks. */
function handleInTransaction(looks: number): SqliteConnection {
  let left = looks;
  return {
    isInTransaction: jest.fn(() => left-- > 0),
    all: () => [[0]],
    run: () => 0,
    exec: () => undefined,
  };
}

describe('HandleTurns', () => {
  it('makes one attempt after a pause, however many wait, and lets all begin in their order after that', async () => {
    const handle = handleInTransaction(5);
    const turns = new HandleTurns(handle);
    const begun: number[] = [];
    await Promise.all(Array.from({ length: 100 }, (_, i) => turns.take(() => begun.push(i), 60_000)));
    expect(begun).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(handle.isInTransaction).toHaveBeenCalledTimes(5 + 100);
  });

  it('runs work at once where nothing is in the way, and hands on what it throws', async () => {
    const turns = new HandleTurns(handleInTransaction(0));
    let isDone = false;
    const done = turns.take(() => (isDone = true), 1000);
    expect(isDone).toBe(true);
    await done;
    const work = (): never => {
      throw new Error('of the work');
    };
    await expect(turns.take(work, 1000)).rejects.toThrow('of the work');
  });

  it('gives up once its time is over, and says for what it waited', async () => {
    const work = jest.fn();
    const turns = new HandleTurns(handleInTransaction(Infinity));
    await expect(turns.take(work, 5)).rejects.toThrow(
      'the database was not free within 5 ms: the application has a transaction open on the handle',
    );
    expect(work).not.toHaveBeenCalled();
  });
});
