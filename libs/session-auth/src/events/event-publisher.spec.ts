import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { setImmediate as turn } from 'node:timers/promises';
import { SessionEventPublisher, type SessionEventListener } from './event-publisher.js';
import type { SessionEvent, UnstampedSessionEvent } from './session-event.js';

const NOW = Date.UTC(2026, 0, 1);
const EVENT: UnstampedSessionEvent = { type: 'session.evicted', sessionId: 'handle', userId: 'alice' };
const clock = { now: () => NOW };

/** A publisher whose audit log is the first of these, and to which the others have subscribed. */
function publisherOf(
  record: SessionEventListener = () => undefined,
  ...others: SessionEventListener[]
): SessionEventPublisher {
  const publisher = new SessionEventPublisher(clock, { record });
  for (const listener of others) publisher.subscribe(listener);
  return publisher;
}

describe('SessionEventPublisher', () => {
  let logged: jest.Spied<Logger['error']>;

  beforeEach(() => {
    logged = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });

  it('stamps an event with the time and hands it to the audit log and every listener, in order and before it returns', () => {
    const heard: [string, SessionEvent][] = [];
    const publisher = publisherOf(
      (event) => void heard.push(['first', event]),
      async (event) => void heard.push(['second', event]),
    );
    publisher.publish(EVENT);
    const stamped = { ...EVENT, realm: 'default', at: new Date(NOW) };
    expect(heard).toEqual([
      ['first', stamped],
      ['second', stamped],
    ]);
  });

  it.each<[string, () => void | Promise<void>]>([
    [
      'throws',
      () => {
        throw new Error('full disk');
      },
    ],
    ['rejects', () => Promise.reject(new Error('full disk'))],
  ])('goes on and logs when a listener %s', async (_what, failing) => {
    const heard = jest.fn<SessionEventListener>();
    const publisher = publisherOf(failing, heard);
    expect(() => publisher.publish(EVENT)).not.toThrow();
    expect(heard).toHaveBeenCalledTimes(1);
    await turn();
    expect(logged.mock.calls).toEqual([
      ['a listener failed on session.evicted', expect.stringContaining('Error: full disk')],
    ]);
    publisher.publish(EVENT);
    expect(heard).toHaveBeenCalledTimes(2);
  });

  it('logs a failure that is no Error', async () => {
    const publisher = publisherOf(
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- what an application may do
      () => Promise.reject('full'),
    );
    publisher.publish(EVENT);
    await turn();
    expect(logged).toHaveBeenCalledWith('a listener failed on session.evicted', 'full');
  });

  it('waits for no listener', () => {
    const heard = jest.fn<SessionEventListener>();
    const publisher = publisherOf(() => new Promise(() => undefined), heard);
    publisher.publish(EVENT);
    publisher.publish(EVENT);
    expect(heard).toHaveBeenCalledTimes(2);
  });

  it('adds and removes listeners, each on its own, harmless when repeated', () => {
    const [first, second] = [jest.fn<SessionEventListener>(), jest.fn<SessionEventListener>()];
    const publisher = publisherOf();
    const unsubscribe = publisher.subscribe(first);
    publisher.subscribe(second);
    publisher.publish(EVENT);
    unsubscribe();
    unsubscribe();
    publisher.publish(EVENT);
    expect([first.mock.calls.length, second.mock.calls.length]).toEqual([1, 2]);
  });

  it('delivers an event to all who listened when it was published, also when one unsubscribes in between', () => {
    const publisher = publisherOf();
    const heard = jest.fn<SessionEventListener>();
    const unsubscribe = publisher.subscribe(() => unsubscribe());
    publisher.subscribe(heard);
    publisher.publish(EVENT);
    expect(heard).toHaveBeenCalledTimes(1);
  });
});
