import { describe, expect, it } from '@jest/globals';
import { setImmediate as turn } from 'node:timers/promises';
import { FairQueue, QueueFullError } from './password-queue.js';

const ROOMY = { running: 1, waitingPerKey: 100, waiting: 100 };

/** Work that records its start, and ends when the test says so. */
function notedWork(): {
  readonly started: string[];
  readonly work: (name: string) => () => Promise<string>;
  readonly end: (name: string) => Promise<void>;
} {
  const started: string[] = [];
  const ends = new Map<string, () => void>();
  const work = (name: string) => (): Promise<string> => {
    started.push(name);
    return new Promise((resolve) => ends.set(name, () => resolve(name)));
  };
  const end = async (name: string): Promise<void> => {
    ends.get(name)!();
    await turn();
  };
  return { started, work, end };
}

describe('FairQueue', () => {
  it('lets so many run at a time, and returns their outcomes', async () => {
    const queue = new FairQueue({ ...ROOMY, running: 2 });
    const { started, work, end } = notedWork();
    const all = ['a', 'b', 'c'].map((name) => queue.run('key', work(name)));
    expect(started).toEqual(['a', 'b']);
    await end('b');
    expect(started).toEqual(['a', 'b', 'c']);
    await end('a');
    await end('c');
    expect(await Promise.all(all)).toEqual(['a', 'b', 'c']);
  });

  it('lets keys take turns, so that a burst of one never stands before a single one of another', async () => {
    const queue = new FairQueue(ROOMY);
    const { started, work, end } = notedWork();
    const burst = ['a1', 'a2', 'a3', 'a4'].map((name) => queue.run('a', work(name)));
    const others = [queue.run('b', work('b1')), queue.run('c', work('c1')), queue.run('b', work('b2'))];
    for (const name of ['a1', 'a2', 'b1', 'c1', 'a3', 'b2', 'a4']) await end(name);
    expect(started).toEqual(['a1', 'a2', 'b1', 'c1', 'a3', 'b2', 'a4']);
    await Promise.all([...burst, ...others]);
  });

  it('gives the place on after a failure, thrown or rejected', async () => {
    const queue = new FairQueue(ROOMY);
    await expect(
      queue.run('key', () => {
        throw new Error('thrown');
      }),
    ).rejects.toThrow('thrown');
    const failing = queue.run('key', () => Promise.reject(new Error('rejected')));
    const next = queue.run('key', () => Promise.resolve('next'));
    await expect(failing).rejects.toThrow('rejected');
    expect(await next).toBe('next');
  });

  it('takes in no more of one key than it may, and of another one still', async () => {
    const queue = new FairQueue({ ...ROOMY, waitingPerKey: 2 });
    const { started, work, end } = notedWork();
    const taken = ['a1', 'a2', 'a3'].map((name) => queue.run('a', work(name)));
    await expect(queue.run('a', work('a4'))).rejects.toMatchObject({ limit: 'key' });
    expect(() => queue.requireRoom('a')).toThrow(QueueFullError);
    queue.requireRoom('b');
    taken.push(queue.run('b', work('b1')));
    for (const name of ['a1', 'a2', 'b1', 'a3']) await end(name);
    expect(started).toEqual(['a1', 'a2', 'b1', 'a3']);
    await Promise.all(taken);
    queue.requireRoom('a');
  });

  it('takes in no more than it may in all: whoever has the most waiting gives way to whoever has fewer', async () => {
    const queue = new FairQueue({ ...ROOMY, waiting: 3 });
    const { started, work, end } = notedWork();
    const taken = ['a1', 'a2', 'a3'].map((name) => queue.run('a', work(name)));
    const latest = queue.run('a', work('a4'));
    const refusal = expect(latest).rejects.toMatchObject({ limit: 'all' });
    await expect(queue.run('a', work('a5'))).rejects.toMatchObject({ limit: 'all' });
    taken.push(queue.run('b', work('b1')));
    await refusal;
    await expect(queue.run('b', work('b2'))).rejects.toMatchObject({ limit: 'all' });
    for (const name of ['a1', 'a2', 'b1', 'a3']) await end(name);
    expect(started).toEqual(['a1', 'a2', 'b1', 'a3']);
    await Promise.all(taken);
  });

  it('never lets more run, however calls come and go', async () => {
    const queue = new FairQueue({ ...ROOMY, running: 3 });
    let running = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 50 }, async (_, i) => {
        if (i % 3 === 0) await turn();
        await queue.run(`key ${i % 4}`, async () => {
          most = Math.max(most, (running += 1));
          await turn();
          running -= 1;
        });
      }),
    );
    expect([most, running]).toEqual([3, 0]);
  });
});
