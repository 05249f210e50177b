import { setImmediate as nextTurn } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { Batcher } from './batcher.js';

describe('Batcher', () => {
  let batches: (readonly number[])[];
  let batcher: Batcher<number>;

  beforeEach(() => {
    batches = [];
    batcher = new Batcher((items) => {
      batches.push(items);
      if (items.includes(-1)) batcher.add(0);
    });
  });

  it('hands over together what is added within one turn of the event loop, once, in its order', async () => {
    batcher.add(1);
    await Promise.resolve();
    process.nextTick(() => batcher.add(2));
    batcher.add(3);
    expect(batches).toEqual([]);
    await nextTurn();
    expect(batches).toEqual([[1, 3, 2]]);
    batcher.add(4);
    await nextTurn();
    await nextTurn();
    expect(batches).toEqual([[1, 3, 2], [4]]);
  });

  it('puts what is added while a batch is handed over into the next one', async () => {
    batcher.add(-1);
    await nextTurn();
    expect(batches).toEqual([[-1]]);
    await nextTurn();
    expect(batches).toEqual([[-1], [0]]);
  });
});
