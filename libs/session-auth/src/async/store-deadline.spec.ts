import { stat } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { StoreDeadline } from './store-deadline.js';

const TIMEOUT = 2000;

/** A timer without delay. */
const TURN = 1;

describe('StoreDeadline', () => {
  let deadline: StoreDeadline;

  beforeEach(() => {
    jest.useFakeTimers();
    deadline = new StoreDeadline(TIMEOUT);
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('hands answers on, and leaves no timer behind', async () => {
    const answers = Array.from({ length: 100 }, (_, i) => deadline.run(() => Promise.resolve(i)));
    expect(await Promise.all(answers)).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(jest.getTimerCount()).toBe(0);
  });

  it('keeps no process alive', async () => {
    jest.useRealTimers();
    const timers = (): number => process.getActiveResourcesInfo().filter((each) => each === 'Timeout').length;
    const before = timers();
    const waiting = new StoreDeadline(5).run(() => new Promise(() => undefined));
    expect(timers()).toBe(before);
    await expect(waiting).rejects.toThrow('did not respond within 5 ms');
  });

  it('gives each operation its own time, whenever others began or ended', async () => {
    const log: string[] = [];
    const hang = (name: string): void => {
      deadline.run(() => new Promise(() => undefined)).catch(() => log.push(`${name} at ${performance.now() - start}`));
    };
    const start = performance.now();
    hang('first');
    await deadline.run(() => Promise.resolve());
    await jest.advanceTimersByTimeAsync(700);
    hang('second');
    hang('third');
    await jest.advanceTimersByTimeAsync(3 * TIMEOUT);
    expect(log).toEqual([`first at ${2000 + TURN}`, `second at ${2700 + TURN}`, `third at ${2700 + TURN}`]);
    hang('fourth');
    await jest.advanceTimersByTimeAsync(TIMEOUT + TURN);
    expect(log).toHaveLength(4);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('gives up on a store that never answers, at the deadline and not before', async () => {
    const settled = jest.fn();
    const waiting = deadline.run(() => new Promise(() => undefined));
    waiting.then(settled, settled);
    await jest.advanceTimersByTimeAsync(TIMEOUT - 1);
    expect(settled).not.toHaveBeenCalled();
    await jest.advanceTimersByTimeAsync(1 + TURN);
    await expect(waiting).rejects.toMatchObject({
      code: 'session_store_unavailable',
      statusCode: 503,
      retryAfterSeconds: 1,
      message: expect.stringContaining('2000 ms'),
    });
  });

  it('hears what has arrived while this process could not run', async () => {
    jest.useRealTimers();
    const waiting = new StoreDeadline(5).run(() => stat('.'));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
    expect((await waiting).isDirectory()).toBe(true);
  });

  it.each([
    ['as much again', 700, 700],
    ['no more than the deadline again', 10 * TIMEOUT, TIMEOUT],
  ])('gives a store the time back in which this process could not run: %s', async (_what, lost, given) => {
    const clock = jest
      .spyOn(performance, 'now')
      .mockReturnValueOnce(0)
      .mockReturnValueOnce(TIMEOUT + lost);
    const settled = jest.fn();
    deadline.run(() => new Promise(() => undefined)).then(settled, settled);
    await jest.advanceTimersByTimeAsync(TIMEOUT + given - 1);
    expect(settled).not.toHaveBeenCalled();
    await jest.advanceTimersByTimeAsync(1);
    expect(settled).toHaveBeenCalledTimes(1);
    clock.mockRestore();
  });

  it.each([
    ['answer', (resolve: (value: string) => void) => resolve('late')],
    ['failure', (_: unknown, reject: (error: Error) => void) => reject(new Error('late'))],
  ])('drops a late %s', async (_what, settle) => {
    const { promise, resolve, reject } = withResolvers<string>();
    const waiting = deadline.run(() => promise);
    const outcome = expect(waiting).rejects.toThrow('did not respond within 2000 ms');
    await jest.advanceTimersByTimeAsync(TIMEOUT + TURN);
    await outcome;
    settle(resolve, reject);
    await jest.advanceTimersByTimeAsync(TIMEOUT);
    await expect(waiting).rejects.toThrow('did not respond within 2000 ms');
  });

  it.each([
    ['rejects', () => Promise.reject(new Error('ECONNRESET'))],
    [
      'throws',
      () => {
        throw new Error('ECONNRESET');
      },
    ],
  ])('says the store is unavailable when it %s, with the failure as cause only', async (_what, operation) => {
    await expect(deadline.run(operation)).rejects.toMatchObject({
      code: 'session_store_unavailable',
      message: expect.not.stringContaining('ECONNRESET'),
      cause: new Error('ECONNRESET'),
      retryAfterSeconds: 1,
    });
    await jest.advanceTimersByTimeAsync(TIMEOUT);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('does so for a failure that is no Error', async () => {
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- what a driver may do
    await expect(deadline.run(() => Promise.reject('down'))).rejects.toMatchObject({
      code: 'session_store_unavailable',
      cause: 'down',
    });
  });

  it('passes errors of the library on as they are', async () => {
    const error = new SessionAuthError('corrupt_session_record', 'unreadable');
    await expect(deadline.run(() => Promise.reject(error))).rejects.toBe(error);
  });
});

function withResolvers<T>(): {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (error: Error) => void;
} {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((...settle) => ([resolve, reject] = settle));
  return { promise, resolve, reject };
}
