import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DAY, HOUR } from '../time/units.js';
import { DEFAULT_SESSION_LIFETIME } from './lifetime.options.js';
import { idleDeadline, initialDeadlines, isRotationDue } from './session-lifetime.js';

const NOW = Date.UTC(2026, 0, 1);

describe('deadlines', () => {
  it('are idle and absolute from the login on', () => {
    expect(initialDeadlines(DEFAULT_SESSION_LIFETIME, NOW)).toEqual({
      expiresAt: NOW + HOUR,
      absoluteExpiresAt: NOW + DAY,
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
  const hourly = { ...DEFAULT_SESSION_LIFETIME, rotateEvery: HOUR };

  it('is at rotateEvery, not before', () => {
    expect(isRotationDue({ rotatedAt: NOW }, hourly, NOW + HOUR - 1)).toBe(false);
    expect(isRotationDue({ rotatedAt: NOW }, hourly, NOW + HOUR)).toBe(true);
  });

  it('is never without rotateEvery', () => {
    expect(isRotationDue({ rotatedAt: 1 }, never, NOW)).toBe(false);
  });

  it('is at once after a change of roles, with and without rotateEvery', () => {
    expect(isRotationDue({ rotatedAt: 0 }, never, 0)).toBe(true);
    expect(isRotationDue({ rotatedAt: 0 }, hourly, 0)).toBe(true);
  });
});
