/** The resolved `lifetime` options, in milliseconds. */
export interface SessionLifetime {
  /** A session ends when nothing was heard of it for this long (ASVS 7.3.1). */
  readonly idle: number;
  /** A session ends this long after its login whatever happens (ASVS 7.3.2). */
  readonly absolute: number;
  /** Activity is written at most this often. */
  readonly touchInterval: number;
  /** A token older than this is replaced on the next request; undefined: only at gains of privilege. */
  readonly rotateEvery: number | undefined;
  /** How long a replaced token still finds its session, for requests in flight. */
  readonly rotationGrace: number;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The defaults: 1 hour idle, 24 hours absolute, activity written once a minute, 10 seconds of grace. */
export const DEFAULT_SESSION_LIFETIME: SessionLifetime = {
  idle: HOUR,
  absolute: DAY,
  touchInterval: MINUTE,
  rotateEvery: undefined,
  rotationGrace: 10_000,
};

/**
 * NIST SP 800-63B-4's overall and idle timeouts, by authenticator assurance level (clauses 2.1.3, 2.2.3, 2.3.3).
 *
 * `nistAal1`: 30 days, the idle limit that the clause leaves open set to 30 days as well. `nistAal2`: 24 hours and
 * 1 hour. `nistAal3`: 12 hours and 15 minutes.
 */
export const LIFETIME_PRESETS = {
  nistAal1: { idle: 30 * DAY, absolute: 30 * DAY },
  nistAal2: { idle: HOUR, absolute: DAY },
  nistAal3: { idle: 15 * MINUTE, absolute: 12 * HOUR },
} as const;

/** The name of one of {@link LIFETIME_PRESETS}. */
export type LifetimePreset = keyof typeof LIFETIME_PRESETS;

/** The shortest idle timeout that OWASP's Session Management Cheat Sheet names, for applications of the highest value. */
const SHORTEST_ADVISED_IDLE = 2 * MINUTE;

/** What is to be said at start-up of a lifetime that no standard advises; nothing where one does. */
export function lifetimeAdvice({ idle, absolute }: SessionLifetime): string[] {
  const advice: string[] = [];
  const longest = LIFETIME_PRESETS.nistAal1.absolute;
  if (absolute > longest) {
    advice.push(
      `lifetime.absolute is ${Math.floor(absolute / DAY)} days: NIST SP 800-63B-4 asks for a new login after 30 days at ` +
        'the latest. For devices that stay signed in longer there is rememberMe',
    );
  }
  if (idle < SHORTEST_ADVISED_IDLE) {
    advice.push(
      `lifetime.idle is ${idle / 1000} s: OWASP advises 2 minutes or more, so that nobody is signed out while reading`,
    );
  }
  return advice;
}

/** The two deadlines of a session that logs in at `now`. */
export function initialDeadlines(
  lifetime: SessionLifetime,
  now: number,
): { expiresAt: number; absoluteExpiresAt: number } {
  const absoluteExpiresAt = now + lifetime.absolute;
  return { absoluteExpiresAt, expiresAt: idleDeadline(now, lifetime.idle, absoluteExpiresAt) };
}

/** When a session last active at `now` ends if nothing more is heard. */
export function idleDeadline(now: number, idle: number, absoluteExpiresAt: number): number {
  return Math.min(now + idle, absoluteExpiresAt);
}

/** Whether the present token is old enough to be replaced: by `rotateEvery`, or because a change of roles asked for it. */
export function isRotationDue(record: { readonly rotatedAt: number }, lifetime: SessionLifetime, now: number): boolean {
  return (
    record.rotatedAt === 0 || (lifetime.rotateEvery !== undefined && now - record.rotatedAt >= lifetime.rotateEvery)
  );
}
