import type { SessionEvent, SessionEventType } from './session-event.js';

/** How urgent an event is. */
export type AuditLevel = 'info' | 'warn' | 'critical';

/**
 * An event as a log record: flat, in the words of the OWASP Logging Vocabulary if it has any, with text that no reader
 * takes for a line break or a command.
 */
export interface AuditEntry {
  /** ISO 8601, in UTC. */
  readonly datetime: string;
  /** What happened, in OWASP's words: `session_created`, `authn_login_fail`, … */
  readonly event: string;
  readonly level: AuditLevel;
  /** The library's own name of the event. */
  readonly type: SessionEventType;
  readonly realm: string;
  readonly userid?: string;
  /** The session's public handle. */
  readonly session?: string;
  readonly source_ip?: string;
  readonly useragent?: string;
  /** Other fields of the event: `reason`, `scope`, `newDevice`, … */
  readonly [detail: string]: unknown;
}

/**
 * The name and level of each event. The names are OWASP's, with nine additions: `session_destroyed` (OWASP has only
 * `session_expired`, which does not distinguish a logout from a timeout), `session_all_destroyed`, `session_evicted`,
 * `session_token_reuse`, `session_ambiguous_cookie`, `session_corrupt_record`, `session_fingerprint_mismatch`,
 * `malicious_session_guessing` and `malicious_csrf`.
 *
 * https://cheatsheetseries.owasp.org/cheatsheets/Logging_Vocabulary_Cheat_Sheet.html
 */
export const AUDIT_VOCABULARY: Readonly<Record<SessionEventType, readonly [event: string, level: AuditLevel]>> = {
  'session.created': ['session_created', 'info'],
  'session.rotated': ['session_renewed', 'info'],
  'session.destroyed': ['session_destroyed', 'info'],
  'session.evicted': ['session_evicted', 'info'],
  'session.expired': ['session_expired', 'info'],
  'session.all_ended': ['session_all_destroyed', 'critical'],
  'session.limit_reached': ['excess_rate_limit_exceeded', 'warn'],
  'session.used_after_end': ['session_use_after_expire', 'critical'],
  'session.token_reused': ['session_token_reuse', 'critical'],
  'session.ambiguous_cookie': ['session_ambiguous_cookie', 'warn'],
  'session.corrupt_record': ['session_corrupt_record', 'critical'],
  'session.fingerprint_mismatch': ['session_fingerprint_mismatch', 'warn'],
  'session.guessing_suspected': ['malicious_session_guessing', 'critical'],
  'csrf.rejected': ['malicious_csrf', 'warn'],
  'login.failed': ['authn_login_fail', 'warn'],
  'login.throttled': ['authn_login_fail_max', 'warn'],
  'remember_me.issued': ['authn_token_created', 'info'],
  'remember_me.used': ['authn_login_success', 'info'],
  'remember_me.theft': ['authn_token_reuse', 'critical'],
};

const MAX_TEXT = 512;

// characters that end a line for some reader, move a terminal's cursor, or change the direction of writing
const UNSAFE = /[\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/**
 * Makes untrusted text safe for a record (ASVS 16.4.1): control characters become U+FFFD, and 512 characters are kept.
 * The result cannot end a line, and every database accepts it.
 */
export function recordableText(text: string): string {
  return text.slice(0, MAX_TEXT).replace(UNSAFE, '\ufffd');
}

/** Returns the log record of an event. */
export function toAuditEntry(event: SessionEvent): AuditEntry {
  const { type, realm, at, client, ...fields } = event;
  const [name, level] = AUDIT_VOCABULARY[type];
  const { userId, sessionId, ...details } = fields as { userId?: string; sessionId?: string };
  return {
    datetime: at.toISOString(),
    event: name,
    level,
    type,
    realm,
    userid: userId === undefined ? undefined : recordableText(userId),
    session: sessionId,
    source_ip: client?.ip === undefined ? undefined : recordableText(client.ip),
    useragent: client?.userAgent === undefined ? undefined : recordableText(client.userAgent),
    ...recordable(details),
  };
}

function recordable(details: object): Record<string, unknown> {
  const texts = (value: unknown): unknown => {
    if (typeof value === 'string') return recordableText(value);
    return Array.isArray(value) ? value.map(texts) : value;
  };
  return Object.fromEntries(Object.entries(details).map(([key, value]) => [key, texts(value)]));
}
