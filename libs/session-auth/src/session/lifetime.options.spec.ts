import { describe, expect, it } from '@jest/globals';
import { DAY, MINUTE, SECOND } from '../time/units.js';
import { OptionReader } from '../options/option-reader.js';
import {
  DEFAULT_SESSION_LIFETIME,
  lifetimeAdvice,
  LIFETIME_PRESETS,
  ON_REUSE_VALUES,
  resolveLifetime,
} from './lifetime.options.js';

describe('LIFETIME_PRESETS', () => {
  it('keeps within the timeouts of NIST SP 800-63B-4', () => {
    const minutes = Object.entries(LIFETIME_PRESETS).map(([name, { idle, absolute }]) => [
      name,
      idle / MINUTE,
      absolute / MINUTE,
    ]);
    expect(minutes).toEqual([
      ['nistAal1', 30 * 24 * 60, 30 * 24 * 60],
      ['nistAal2', 60, 24 * 60],
      ['nistAal3', 15, 12 * 60],
    ]);
  });
});

describe('the use of a replaced token', () => {
  const resolve = (lifetime: unknown): unknown =>
    resolveLifetime(OptionReader.root({ lifetime }, ['lifetime'])).onReuse;

  it('is reported, unless the session is to be ended by it', () => {
    expect([undefined, {}, 'nistAal3', { onReuse: undefined }].map(resolve)).toEqual(Array(4).fill('report'));
    expect(ON_REUSE_VALUES.map((onReuse) => resolve({ onReuse }))).toEqual(['report', 'end-session']);
  });

  it('is not left to a word that means nothing', () => {
    expect(() => resolve({ onReuse: 'end' })).toThrow(
      "SessionAuthModule: lifetime.onReuse: given 'end'; allowed is 'report', 'end-session'",
    );
  });
});

describe('the advice on a lifetime', () => {
  const advice = (idle: number, absolute: number): string[] =>
    lifetimeAdvice({ ...DEFAULT_SESSION_LIFETIME, idle, absolute });

  it('is none for the defaults, the presets, and what lies between OWASP’s least and NIST’s most', () => {
    expect(lifetimeAdvice(DEFAULT_SESSION_LIFETIME)).toEqual([]);
    for (const { idle, absolute } of Object.values(LIFETIME_PRESETS)) expect(advice(idle, absolute)).toEqual([]);
    expect(advice(2 * MINUTE, 30 * DAY)).toEqual([]);
  });

  it('names what is too long, too short, or both, and where that is said', () => {
    expect(advice(DAY, 31 * DAY)).toEqual([
      expect.stringMatching(/^lifetime\.absolute is 31 days: NIST SP 800-63B-4 .* 30 days .*rememberMe .*$/),
    ]);
    expect(advice(2 * MINUTE - 1, DAY)).toEqual([
      'lifetime.idle is 119.999 s: OWASP recommends 2 minutes or more, so that nobody is signed out while reading',
    ]);
    expect(advice(SECOND, 30 * DAY + 1)).toEqual([
      expect.stringContaining('lifetime.absolute is 30 days'),
      expect.stringContaining('lifetime.idle is 1 s'),
    ]);
  });
});
