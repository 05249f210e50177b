import type { SessionLifetime } from './lifetime.options.js';

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
