import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  DEFAULT_SESSION_LIFETIME,
  idleDeadline,
  initialDeadlines,
  isRotationDue,
  LIFETIME_PRESETS,
} from './session-lifetime.js';

const NOW = Date.UTC(2026, 0, 1);

describe('deadlines', () => {
  it('are idle and absolute from the login on', () => {
    expect(initialDeadlines(DEFAULT_SESSION_LIFETIME, NOW)).toEqual({
      expiresAt: NOW + 3_600_000,
      absoluteExpiresAt: NOW + 86_400_000,
    });
  });

  it('never leave the idle one behind the absolute one', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.nat(), (now, idle, absoluteExpiresAt) => {
        const deadline = idleDeadline(now, idle, absoluteExpiresAt);
        expect(deadline).toBeLessThanOrEqual(absoluteExpiresAt);
        expect([now + idle, absoluteExpiresAt]).toContain(deadline);
      }),
    );
  });
});

describe('isRotationDue', () => {
  const never = DEFAULT_SESSION_LIFETIME;
  const hourly = { ...DEFAULT_SESSION_LIFETIME, rotateEvery: 3_600_000 };

  it('is at rotateEvery, not before', () => {
    expect(isRotationDue({ rotatedAt: NOW }, hourly, NOW + 3_599_999)).toBe(false);
    expect(isRotationDue({ rotatedAt: NOW }, hourly, NOW + 3_600_000)).toBe(true);
  });

  it('is never without rotateEvery', () => {
    expect(isRotationDue({ rotatedAt: 1 }, never, NOW)).toBe(false);
  });

  it('is at once after a change of roles, with and without rotateEvery', () => {
    expect(isRotationDue({ rotatedAt: 0 }, never, 0)).toBe(true);
    expect(isRotationDue({ rotatedAt: 0 }, hourly, 0)).toBe(true);
  });
});

describe('LIFETIME_PRESETS', () => {
  it('keeps within the timeouts of NIST SP 800-63B-4', () => {
    const minutes = Object.entries(LIFETIME_PRESETS).map(([name, { idle, absolute }]) => [
      name,
      idle / 60_000,
      absolute / 60_000,
    ]);
    expect(minutes).toEqual([
      ['nistAal1', 30 * 24 * 60, 30 * 24 * 60],
      ['nistAal2', 60, 24 * 60],
      ['nistAal3', 15, 12 * 60],
    ]);
  });
});
