import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { toAuditEntry } from './audit-entry.js';
import { LoggerAuditLog } from './audit-log.js';
import type { SessionEvent } from './session-event.js';

const at = new Date(Date.UTC(2026, 0, 1));
const ended = { realm: 'default', at, sessionId: 'handle', userId: 'alice' };
const EVENTS: readonly [SessionEvent, 'log' | 'warn'][] = [
  [{ ...ended, type: 'session.created', authentication: 'password' }, 'log'],
  [{ ...ended, type: 'session.rotated', reason: 'login' }, 'log'],
  [{ ...ended, type: 'session.destroyed', reason: 'logout' }, 'log'],
  [{ ...ended, type: 'session.evicted' }, 'log'],
  [{ ...ended, type: 'session.expired' }, 'log'],
  [{ realm: 'default', at, type: 'session.used_after_end' }, 'warn'],
  [{ ...ended, type: 'session.token_reused' }, 'warn'],
  [{ ...ended, type: 'session.destroyed', reason: 'token_reused' }, 'log'],
  [{ realm: 'default', at, type: 'session.corrupt_record' }, 'warn'],
  [{ realm: 'default', at, type: 'login.failed', reason: 'wrong_password', userId: 'alice' }, 'warn'],
];

describe('LoggerAuditLog', () => {
  let lines: [string, unknown][];

  beforeEach(() => {
    lines = [];
    for (const level of ['log', 'warn'] as const) {
      jest.spyOn(Logger.prototype, level).mockImplementation((line: unknown) => void lines.push([level, line]));
    }
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });

  it.each(EVENTS)('writes %j at level %s', (event, level) => {
    new LoggerAuditLog().record(event);
    expect(lines).toEqual([[level, JSON.stringify(toAuditEntry(event))]]);
  });

  it.each([
    ['line breaks', 'test\r\n{"type":"session.created"}\n\r\u000b\f'],
    ['a next line, which latin1 headers can hold', 'test\u0085{"type":"session.created"}'],
    ['separators of lines and paragraphs', 'test\u2028x\u2029y'],
    ['terminal control', 'test\u001b[2K\u009b2K\u007f\0'],
  ])('writes one line also when the User-Agent has %s', (_what, userAgent) => {
    const event: SessionEvent = { ...ended, type: 'session.created', client: { userAgent } };
    new LoggerAuditLog().record(event);
    expect(lines).toHaveLength(1);
    const line = lines[0]![1] as string;
    // eslint-disable-next-line no-control-regex -- these are looked for
    expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
    expect(JSON.parse(line)).toMatchObject({ event: 'session_created', datetime: at.toISOString(), session: 'handle' });
  });
});
