import { describe, expect, it, jest } from '@jest/globals';
import { setImmediate as turn } from 'node:timers/promises';
import { WriteBehind, type WriteBehindOptions } from './write-behind.js';

function make(options: Partial<WriteBehindOptions<number>> = {}): {
  behind: WriteBehind<number>;
  write: jest.Mock<WriteBehindOptions<number>['write']>;
  onFailure: jest.Mock<(error: unknown) => void>;
  onDropped: jest.Mock<(count: number) => void>;
} {
  const write = jest.fn<WriteBehindOptions<number>['write']>(() => Promise.resolve());
  const onFailure = jest.fn<(error: unknown) => void>();
  const onDropped = jest.fn<(count: number) => void>();
  const behind = new WriteBehind({ write, capacity: 10, batch: 4, retryAfter: 1, onFailure, onDropped, ...options });
  return { behind, write, onFailure, onDropped };
}

describe('WriteBehind', () => {
  it('writes what comes in one turn together, in order and in batches', async () => {
    const { behind, write } = make();
    for (let i = 0; i < 6; i += 1) behind.add(i);
    expect(write).not.toHaveBeenCalled();
    await behind.flush(1000);
    expect(write.mock.calls).toEqual([[[0, 1, 2, 3]], [[4, 5]]]);
  });

  it('drops what does not fit while the sink is slow, and tells how many once', async () => {
    let release = (): void => undefined;
    const { behind, write, onDropped } = make();
    write.mockImplementationOnce(() => new Promise((resolve) => (release = resolve)));
    behind.add(0);
    await turn();
    for (let i = 1; i < 15; i += 1) behind.add(i);
    release();
    await behind.flush(1000);
    expect(write.mock.calls.flatMap(([items]) => items)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(onDropped.mock.calls).toEqual([[5]]);
  });

  it('drops what matters less first where it does not fit, the newest of it, and never what is being written', async () => {
    let release = (): void => undefined;
    const mattersLess = (item: number): boolean => item % 2 === 1;
    const { behind, write, onDropped } = make({ mattersLess, capacity: 6, batch: 2 });
    write.mockImplementationOnce(() => new Promise((resolve) => (release = resolve)));
    behind.add(1);
    behind.add(3);
    await turn();
    for (const item of [5, 7, 10, 12, 14, 9, 16, 18]) behind.add(item);
    release();
    await behind.flush(1000);
    expect(write.mock.calls.flatMap(([items]) => items)).toEqual([1, 3, 10, 12, 14, 16]);
    expect(onDropped.mock.calls).toEqual([[4]]);
  });

  it('says when all is written, or what keeps it from that, and goes on trying all the same', async () => {
    const { behind, write } = make();
    await behind.written();
    for (let i = 0; i < 6; i += 1) behind.add(i);
    await behind.written();
    expect(write.mock.calls.flatMap(([items]) => items)).toEqual([0, 1, 2, 3, 4, 5]);
    write.mockImplementationOnce(() => Promise.reject(new Error('down')));
    behind.add(6);
    await expect(behind.written()).rejects.toThrow('down');
    while (write.mock.calls.length < 4) await turn();
    await behind.written();
    expect(write.mock.calls.at(-1)).toEqual([[6]]);
  });

  it('tries again after a failure, loses nothing, and tells once of an outage', async () => {
    const { behind, write, onFailure, onDropped } = make();
    for (let i = 0; i < 3; i += 1) write.mockImplementationOnce(() => Promise.reject(new Error('down')));
    behind.add(1);
    while (write.mock.calls.length < 4) await turn();
    await behind.flush(1000);
    expect(write.mock.calls.at(-1)).toEqual([[1]]);
    expect(onFailure).toHaveBeenCalledTimes(1);
    expect(onDropped).not.toHaveBeenCalled();
    write.mockImplementationOnce(() => Promise.reject(new Error('down again')));
    behind.add(2);
    await turn();
    expect(onFailure).toHaveBeenCalledTimes(2);
    await behind.flush(1000);
    expect(write.mock.calls.at(-1)).toEqual([[2]]);
  });

  it('waits for a sink that hangs no longer than it is told', async () => {
    const { behind, write } = make();
    write.mockImplementation(() => new Promise(() => undefined));
    behind.add(1);
    await behind.flush(5);
    expect(write).toHaveBeenCalledTimes(1);
  });
});
