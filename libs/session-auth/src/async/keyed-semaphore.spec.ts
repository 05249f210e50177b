import { describe, expect, it } from '@jest/globals';
import { setImmediate as turn } from 'node:timers/promises';
import { KeyedSemaphore } from './keyed-semaphore.js';

describe('KeyedSemaphore', () => {
  it('lets so many run at a time and the rest in the order they came, each key for itself', async () => {
    const semaphore = new KeyedSemaphore(2);
    const started: string[] = [];
    const ends = new Map<string, () => void>();
    const work = (name: string) => (): Promise<string> => {
      started.push(name);
      return new Promise((resolve) => ends.set(name, () => resolve(name)));
    };
    const all = ['a', 'b', 'c', 'd'].map((name) => semaphore.run('one', work(name)));
    const other = semaphore.run('two', work('x'));
    expect(started).toEqual(['a', 'b', 'x']);
    ends.get('b')!();
    await turn();
    expect(started).toEqual(['a', 'b', 'x', 'c']);
    ends.get('a')!();
    ends.get('c')!();
    await turn();
    ends.get('d')!();
    ends.get('x')!();
    expect(await Promise.all([...all, other])).toEqual(['a', 'b', 'c', 'd', 'x']);
  });

  it('gives the place on after a failure, thrown or rejected', async () => {
    const semaphore = new KeyedSemaphore(1);
    await expect(
      semaphore.run('key', () => {
        throw new Error('thrown');
      }),
    ).rejects.toThrow('thrown');
    const failing = semaphore.run('key', () => Promise.reject(new Error('rejected')));
    const next = semaphore.run('key', () => Promise.resolve('next'));
    await expect(failing).rejects.toThrow('rejected');
    expect(await next).toBe('next');
  });

  it('gives an error that is of all to those who wait, and to nobody else', async () => {
    const semaphore = new KeyedSemaphore(1, (error) => error === 'for all');
    let ran = 0;
    const later = (error: unknown) => async (): Promise<void> => {
      ran += 1;
      await turn();
      throw error;
    };
    const failures = await Promise.allSettled([
      semaphore.run('key', later('for one')),
      semaphore.run('key', later('for all')),
      semaphore.run('key', later('never seen')),
      semaphore.run('key', later('never seen')),
      semaphore.run('other', later('for another')),
    ]);
    expect(failures.map((each) => (each as PromiseRejectedResult).reason as unknown)).toEqual([
      'for one',
      'for all',
      'for all',
      'for all',
      'for another',
    ]);
    expect(ran).toBe(3);
    expect(await semaphore.run('key', () => Promise.resolve('goes on'))).toBe('goes on');
  });

  it('never lets more run, however calls come and go', async () => {
    const semaphore = new KeyedSemaphore(3);
    let running = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 50 }, async (_, i) => {
        if (i % 3 === 0) await turn();
        await semaphore.run('key', async () => {
          most = Math.max(most, (running += 1));
          await turn();
          running -= 1;
        });
      }),
    );
    expect(most).toBe(3);
  });
});
