import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { AuditAggregation } from './audit-aggregation.js';
import { AUDIT_VOCABULARY } from './audit-entry.js';
import type { SessionEvent, SessionEventType } from './session-event.js';

const START = Date.UTC(2026, 0, 1);
const MINUTE = 60_000;
const FLOODS = [
  'csrf.rejected',
  'session.used_after_end',
  'session.ambiguous_cookie',
  'login.failed',
  'login.throttled',
];
const ALWAYS_ALONE = Object.keys(AUDIT_VOCABULARY).filter((type) => !FLOODS.includes(type));

describe('the audit log behind its aggregation', () => {
  let now: number;
  let recorded: SessionEvent[];
  let aggregation: AuditAggregation;

  beforeEach(() => {
    jest.useFakeTimers();
    now = START;
    recorded = [];
    aggregation = new AuditAggregation({ now: () => now }, { record: (event) => void recorded.push(event) });
  });
  afterEach(() => {
    jest.useRealTimers();
    jest.restoreAllMocks();
  });

  const record = (type: string, fields: object = {}, ip = '192.0.2.1'): void =>
    void aggregation.record({ type, realm: 'default', at: new Date(now), client: { ip }, ...fields } as SessionEvent);
  const told = (): unknown[] =>
    recorded.splice(0).map(({ type, repeated }) => (repeated === undefined ? type : [type, repeated]));

  it.each(FLOODS)('has the first %s at once, and the others of its minute as one record with their number', (type) => {
    for (let i = 0; i < 100; i += 1, now += 500) record(type, { userId: 'alice' });
    expect(told()).toEqual([type]);
    now = START + MINUTE;
    record(type, { userId: 'alice' });
    expect(told()).toEqual([[type, 99], type]);
  });

  it.each(ALWAYS_ALONE)('has each %s by itself', (type) => {
    for (let i = 0; i < 3; i += 1) record(type, { userId: 'alice', sessionId: 'one' });
    expect(told()).toEqual([type, type, type]);
  });

  it('tells types, networks, users and sessions apart: a flood hides nothing of anybody else', () => {
    const flood = (): void => {
      for (const type of ['login.failed', 'login.throttled']) {
        for (const ip of ['192.0.2.1', '192.0.2.2', '2001:db8::1']) {
          for (const fields of [{}, { userId: 'alice' }, { userId: 'bob' }, { sessionId: 'one' }]) {
            record(type, fields, ip);
          }
        }
      }
    };
    flood();
    expect(told()).toHaveLength(24);
    flood();
    // another address of the same network
    record('login.failed', { userId: 'alice' }, '2001:db8::2');
    expect(told()).toEqual([]);
    aggregation.flush();
    expect(recorded.reduce((sum, { repeated }) => sum + repeated!, 0)).toBe(25);
    expect(recorded).toHaveLength(24);
  });

  it('has the last of what was counted, which nobody can change', () => {
    for (const reason of ['unknown_user', 'wrong_password', 'account_disabled']) {
      now += 1000;
      record('login.failed', { reason });
    }
    aggregation.flush();
    expect(recorded[1]).toEqual({
      type: 'login.failed',
      realm: 'default',
      at: new Date(START + 3000),
      client: { ip: '192.0.2.1' },
      reason: 'account_disabled',
      repeated: 2,
    });
    expect(Object.isFrozen(recorded[1])).toBe(true);
  });

  it('has the number also when nothing else happens, and when the application ends', () => {
    for (let i = 0; i < 3; i += 1) record('csrf.rejected');
    told();
    now += MINUTE;
    jest.advanceTimersByTime(MINUTE);
    expect(told()).toEqual([['csrf.rejected', 2]]);
    for (const end of ['onModuleDestroy', 'beforeApplicationShutdown'] as const) {
      for (let i = 0; i < 3; i += 1) record('csrf.rejected');
      aggregation[end]();
      expect(told()).toEqual(['csrf.rejected', ['csrf.rejected', 2]]);
    }
    expect(jest.getTimerCount()).toBe(0);
  });

  it('says nothing more of what came once', () => {
    record('csrf.rejected');
    now += MINUTE;
    record('session.created', { sessionId: 'one' });
    expect(told()).toEqual(['csrf.rejected', 'session.created']);
  });

  it('closes what is open also when the clock was set back', () => {
    for (let i = 0; i < 3; i += 1) record('csrf.rejected');
    now -= 10 * MINUTE;
    record('csrf.rejected');
    expect(told()).toEqual(['csrf.rejected', ['csrf.rejected', 2], 'csrf.rejected']);
  });

  it('keeps a bounded number of counts, of which the oldest is recorded early', () => {
    record('login.failed', { userId: 'first' });
    record('login.failed', { userId: 'first' });
    for (let i = 0; i < 9999; i += 1) record('login.failed', { userId: `user ${i}` });
    expect(recorded.filter(({ repeated }) => repeated !== undefined)).toEqual([]);
    record('login.failed', { userId: 'one more' });
    expect(recorded.filter(({ repeated }) => repeated !== undefined)).toMatchObject([{ userId: 'first', repeated: 1 }]);
  });

  it('reports an audit log that takes no number, and goes on', async () => {
    const logged = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    const failing = new AuditAggregation(
      { now: () => now },
      { record: ({ repeated }) => (repeated === undefined ? undefined : Promise.reject(new Error('down'))) },
    );
    const event = { type: 'csrf.rejected' as SessionEventType, realm: 'default', at: new Date(now) } as SessionEvent;
    for (let i = 0; i < 2; i += 1) void failing.record(event);
    failing.flush();
    await Promise.resolve();
    expect(logged).toHaveBeenCalledWith('csrf.rejected could not be recorded', expect.stringContaining('down'));
  });
});
