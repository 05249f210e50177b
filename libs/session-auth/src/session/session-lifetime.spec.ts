import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DEFAULT_SESSION_LIFETIME, lifetimeAdvice, LIFETIME_PRESETS } from './lifetime.options.js';
import { idleDeadline, initialDeadlines, isRotationDue } from './session-lifetime.js';

const NOW = Date.UTC(2026, 0, 1);

describe('the advice on a lifetime', () => {
  const advice = (idle: number, absolute: number): string[] =>
    lifetimeAdvice({ ...DEFAULT_SESSION_LIFETIME, idle, absolute });
  const DAY = 86_400_000;

  it('is none for the defaults, the presets, and what lies between OWASP’s least and NIST’s most', () => {
    expect(lifetimeAdvice(DEFAULT_SESSION_LIFETIME)).toEqual([]);
    for (const { idle, absolute } of Object.values(LIFETIME_PRESETS)) expect(advice(idle, absolute)).toEqual([]);
    expect(advice(120_000, 30 * DAY)).toEqual([]);
  });

  it('names what is too long, too short, or both, and where that is said', () => {
    expect(advice(DAY, 31 * DAY)).toEqual([
      expect.stringMatching(/^lifetime\.absolute is 31 days: NIST SP 800-63B-4 .* 30 days .*rememberMe$/),
    ]);
    expect(advice(119_999, DAY)).toEqual([
      'lifetime.idle is 119.999 s: OWASP advises 2 minutes or more, so that nobody is signed out while reading',
    ]);
    expect(advice(1000, 30 * DAY + 1)).toEqual([
      expect.stringContaining('lifetime.absolute is 30 days'),
      expect.stringContaining('lifetime.idle is 1 s'),
    ]);
  });
});

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
