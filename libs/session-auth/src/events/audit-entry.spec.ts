import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { anyCharacter } from '../../test/any-character.js';
import { AUDIT_VOCABULARY, recordableText, toAuditEntry } from './audit-entry.js';

describe('toAuditEntry', () => {
  it('says what happened in flat words of the vocabulary', () => {
    const entry = toAuditEntry({
      type: 'login.throttled',
      realm: 'default',
      at: new Date(Date.UTC(2026, 0, 1)),
      scope: 'address',
      retryAfterSeconds: 60,
      userId: 'alice',
      client: { ip: '192.0.2.1', userAgent: 'curl/8' },
    });
    expect(entry).toEqual({
      datetime: '2026-01-01T00:00:00.000Z',
      event: 'authn_login_fail_max',
      level: 'warn',
      type: 'login.throttled',
      realm: 'default',
      userid: 'alice',
      source_ip: '192.0.2.1',
      useragent: 'curl/8',
      scope: 'address',
      retryAfterSeconds: 60,
    });
  });

  it('names the session of a replaced token that was used, and its user: an alarm without them helps nobody', () => {
    const entry = toAuditEntry({
      type: 'session.token_reused',
      realm: 'default',
      at: new Date(0),
      sessionId: 'handle',
      userId: 'alice',
      client: { ip: '192.0.2.1' },
    });
    expect(entry).toMatchObject({
      event: 'session_token_reuse',
      level: 'critical',
      session: 'handle',
      userid: 'alice',
      source_ip: '192.0.2.1',
    });
  });

  it('cleans every text, those in lists as well', () => {
    const entry = toAuditEntry({
      type: 'session.fingerprint_mismatch',
      realm: 'default',
      at: new Date(0),
      sessionId: 'handle',
      userId: 'a\nb',
      signals: ['user-agent\r\n', 'x'],
      action: 'report',
      client: { ip: '\u0000', userAgent: '\u001b[2J\u2028' },
    });
    expect(entry).toMatchObject({ userid: 'a\ufffdb', signals: ['user-agent\ufffd\ufffd', 'x'], source_ip: '\ufffd' });
    expect(entry.useragent).toBe('\ufffd[2J\ufffd');
  });

  it('has lower-case words for every event', () => {
    for (const [event] of Object.values(AUDIT_VOCABULARY)) expect(event).toMatch(/^[a-z]+(_[a-z]+)+$/);
  });
});

describe('recordableText', () => {
  it('leaves nothing that ends a line, moves a terminal or breaks a database, whatever comes in', () => {
    fc.assert(
      fc.property(fc.string({ unit: anyCharacter, maxLength: 700 }), (text) => {
        const recordable = recordableText(text);
        expect(recordable).not.toMatch(/[\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u);
        expect(recordable.length).toBeLessThanOrEqual(512);
      }),
    );
  });

  it('keeps ordinary text of any language', () => {
    expect(recordableText('Fírefox 128 — 日本語 🙂')).toBe('Fírefox 128 — 日本語 🙂');
  });
});
