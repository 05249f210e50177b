import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { SameTurn } from './batcher.js';

describe('what is added within one turn of the event loop', () => {
  it('is handed over together, once, in its order', async () => {
    const taken: (readonly number[])[] = [];
    const turn = new SameTurn<number>((items) => taken.push(items));
    turn.add(1);
    await Promise.resolve();
    process.nextTick(() => turn.add(2));
    turn.add(3);
    expect(taken).toEqual([]);
    await nextTurn();
    expect(taken).toEqual([[1, 3, 2]]);
    turn.add(4);
    await nextTurn();
    await nextTurn();
    expect(taken).toEqual([[1, 3, 2], [4]]);
  });

  it('while it is handed over is the next one', async () => {
    const taken: (readonly number[])[] = [];
    const turn = new SameTurn<number>((items) => {
      taken.push(items);
      if (items.includes(1)) turn.add(2);
    });
    turn.add(1);
    await nextTurn();
    expect(taken).toEqual([[1]]);
    await nextTurn();
    expect(taken).toEqual([[1], [2]]);
  });
});
