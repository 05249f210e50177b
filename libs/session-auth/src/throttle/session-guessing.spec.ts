import { beforeEach, describe, expect, it } from '@jest/globals';
import { SessionEventPublisher } from '../events/event-publisher.js';
import type { SessionEvent } from '../events/session-event.js';
import { SessionGuessing } from './session-guessing.js';

const MINUTE = 60_000;

let now: number;
let events: SessionEvent[];
let guessing: SessionGuessing;

beforeEach(() => {
  now = Date.UTC(2026, 0, 1);
  events = [];
  const clock = { now: () => now };
  guessing = new SessionGuessing(
    new SessionEventPublisher(clock, { record: (event) => void events.push(event) }),
    clock,
  );
});

function guess(count: number, ip: string | undefined = '192.0.2.1', from = 0): void {
  for (let at = from; at < from + count; at += 1) guessing.add(`guess ${at}`, { ip });
}

describe('SessionGuessing', () => {
  it('tells of a hundred different cookies from one network, once a window', () => {
    guess(99);
    expect(events).toEqual([]);
    guess(1, '192.0.2.1', 99);
    const event = {
      type: 'session.guessing_suspected',
      realm: 'default',
      at: new Date(now),
      refused: 100,
      client: { ip: '192.0.2.1' },
    };
    expect(events).toEqual([event]);
    guess(500, '192.0.2.1', 100);
    expect(events).toHaveLength(1);
    now += 10 * MINUTE;
    guess(99, '192.0.2.1', 600);
    expect(events).toHaveLength(1);
    guess(1, '192.0.2.1', 700);
    expect(events).toHaveLength(2);
  });

  it('does not tell of one dead cookie that is sent again and again', () => {
    for (let count = 0; count < 500; count += 1) guessing.add('the same', { ip: '192.0.2.1' });
    guess(98);
    expect(events).toEqual([]);
  });

  it('does not tell of what is spread over more time', () => {
    guess(99);
    now += 10 * MINUTE - 1;
    guess(0);
    now += 1;
    guess(50, '192.0.2.1', 99);
    expect(events).toEqual([]);
  });

  it('counts until the window is over', () => {
    guess(99);
    now += 10 * MINUTE - 1;
    guess(1, '192.0.2.1', 99);
    expect(events).toHaveLength(1);
  });

  it('counts each network by itself: an address, 64 bits of IPv6, and whoever is not known', () => {
    for (let host = 1; host <= 100; host += 1) guess(1, `192.0.2.${host}`, host);
    expect(events).toEqual([]);
    for (let host = 1; host <= 100; host += 1) guess(1, `2001:db8:1:2::${host.toString(16)}`, host);
    expect(events).toHaveLength(1);
    for (let count = 0; count < 100; count += 1) guessing.add(`guess ${count}`, {});
    expect(events).toHaveLength(2);
  });

  it('takes addresses that only begin alike for different ones, as far as addresses go', () => {
    guess(60, 'x'.repeat(63) + 'a');
    guess(60, 'x'.repeat(63) + 'b', 60);
    expect(events).toEqual([]);
    guess(60, 'x'.repeat(64) + 'a', 120);
    guess(60, 'x'.repeat(64) + 'b', 180);
    expect(events).toHaveLength(1);
  });

  it('keeps a thousand networks, and forgets who began first beyond', () => {
    guess(99, 'first');
    for (let network = 0; network < 999; network += 1) guess(1, `other ${network}`);
    guess(1, 'first', 99);
    expect(events).toHaveLength(1);
    events.length = 0;
    guess(99, 'second');
    for (let network = 0; network < 1000; network += 1) guess(1, `more ${network}`);
    guess(50, 'second', 99);
    expect(events).toEqual([]);
  });

  it('counts a network among the latest whose window begins anew', () => {
    guess(1, 'first');
    for (let network = 0; network < 999; network += 1) guess(1, `other ${network}`);
    now += 10 * MINUTE;
    guess(99, 'first');
    for (let network = 0; network < 999; network += 1) guess(1, `more ${network}`);
    guess(1, 'first', 99);
    expect(events).toHaveLength(1);
  });
});
