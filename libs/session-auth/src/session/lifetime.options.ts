import { OptionReader } from '../options/option-reader.js';
import type { Duration } from '../time/durations.js';
import { DAY, HOUR, MINUTE, SECOND } from '../time/units.js';

/** What happens when a replaced token is used. */
export type OnReuse = 'report' | 'end-session';

/** All values of {@link OnReuse}. */
export const ON_REUSE_VALUES: readonly OnReuse[] = ['report', 'end-session'];

/** When sessions end and tokens are replaced. */
export interface LifetimeOptions {
  /** A session ends after this time without a request. @default '1h' */
  readonly idle?: Duration;
  /**
   * A session ends this long after login, even when it is in use. A sealed cookie is not accepted for longer either.
   * @default '24h'
   */
  readonly absolute?: Duration;
  /**
   * Activity is recorded at most this often; must be shorter than `idle`. @default '1m', or a tenth of `idle` if that
   * is less
   */
  readonly touchInterval?: Duration;
  /** The first request after this time gets a new token. @default never */
  readonly rotateEvery?: Duration;
  /** How long a replaced token works for requests in flight. @default '10s' */
  readonly rotationGrace?: Duration;
  /**
   * What happens when a token that was replaced before is used again. Two clients hold it then, and one of them is a
   * thief. The request is refused and reported as `session.token_reused`; `end-session` also ends the session. @default
   * 'report'
   */
  readonly onReuse?: OnReuse;
}

/** The resolved `lifetime` options, in milliseconds. */
export interface SessionLifetime {
  /** A session ends after this time without a request (ASVS 7.3.1). */
  readonly idle: number;
  /** A session ends this long after its login, even when it is in use (ASVS 7.3.2). */
  readonly absolute: number;
  /** Activity is recorded at most this often. */
  readonly touchInterval: number;
  /** A token older than this is replaced on the next request; undefined: only a gain of privilege replaces it. */
  readonly rotateEvery: number | undefined;
  /**
   * How long a replaced token still finds its session after its successor was first used, for requests in flight. Also
   * how long the library waits for a successor to be used before it issues another one.
   */
  readonly rotationGrace: number;
  /** Whether the use of a replaced token ends its session. */
  readonly onReuse: OnReuse;
}

/** Where the {@link SessionLifetime} is injected from. */
export const SESSION_LIFETIME = Symbol('nestjs-session-auth session lifetime');

/** The defaults: 1 hour idle, 24 hours absolute, activity written once a minute, 10 seconds of grace. */
export const DEFAULT_SESSION_LIFETIME: SessionLifetime = {
  idle: HOUR,
  absolute: DAY,
  touchInterval: MINUTE,
  rotateEvery: undefined,
  rotationGrace: 10 * SECOND,
  onReuse: 'report',
};

/**
 * The overall and idle timeouts of NIST SP 800-63B-4, by authenticator assurance level (clauses 2.1.3, 2.2.3, 2.3.3).
 *
 * `nistAal1`: 30 days; the clause sets no idle limit, so the preset uses 30 days for it too. `nistAal2`: 24 hours and 1
 * hour. `nistAal3`: 12 hours and 15 minutes.
 */
export const LIFETIME_PRESETS = {
  nistAal1: { idle: 30 * DAY, absolute: 30 * DAY },
  nistAal2: { idle: HOUR, absolute: DAY },
  nistAal3: { idle: 15 * MINUTE, absolute: 12 * HOUR },
} as const;

/** The name of one of {@link LIFETIME_PRESETS}. */
export type LifetimePreset = keyof typeof LIFETIME_PRESETS;

/** The slice `lifetime` of the options: durations, or the name of a preset. */
export function resolveLifetime(root: OptionReader): SessionLifetime {
  const presets = Object.keys(LIFETIME_PRESETS) as LifetimePreset[];
  const given = root.get('lifetime');
  const preset = typeof given === 'string' ? root.oneOf('lifetime', presets, 'nistAal2') : undefined;
  const lifetime =
    preset === undefined
      ? root.slice('lifetime', ['idle', 'absolute', 'touchInterval', 'rotateEvery', 'rotationGrace', 'onReuse'])
      : OptionReader.empty('lifetime');
  const defaults = { ...DEFAULT_SESSION_LIFETIME, ...(preset === undefined ? {} : LIFETIME_PRESETS[preset]) };

  const absolute = lifetime.duration('absolute', defaults.absolute, { least: 1 });
  const idle = lifetime.duration('idle', Math.min(defaults.idle, absolute), { least: 1 });
  const touchInterval = lifetime.duration('touchInterval', Math.min(defaults.touchInterval, Math.floor(idle / 10)), {
    least: 0,
  });
  const rotationGrace = lifetime.duration('rotationGrace', Math.min(defaults.rotationGrace, idle), { least: 0 });
  const rotateEvery =
    lifetime.get('rotateEvery') === undefined ? undefined : lifetime.duration('rotateEvery', 0, { least: 1 });

  if (idle > absolute) throw lifetime.refuse('idle', `at most lifetime.absolute, which is ${absolute} ms`);
  if (touchInterval >= idle) throw lifetime.refuse('touchInterval', `less than lifetime.idle, which is ${idle} ms`);
  if (rotationGrace > idle) throw lifetime.refuse('rotationGrace', `at most lifetime.idle, which is ${idle} ms`);
  const onReuse = lifetime.oneOf('onReuse', ON_REUSE_VALUES, defaults.onReuse);
  return { idle, absolute, touchInterval, rotateEvery, rotationGrace, onReuse };
}

/** The shortest idle timeout in OWASP's Session Management Cheat Sheet, for applications of the highest value. */
const SHORTEST_ADVISED_IDLE = 2 * MINUTE;

/** Returns warnings about lifetimes that no standard recommends, for the log at boot. */
export function lifetimeAdvice({ idle, absolute }: SessionLifetime): string[] {
  const advice: string[] = [];
  const longest = LIFETIME_PRESETS.nistAal1.absolute;
  if (absolute > longest) {
    advice.push(
      `lifetime.absolute is ${Math.floor(absolute / DAY)} days: NIST SP 800-63B-4 requires a new login after 30 days at ` +
        'the latest. Use rememberMe for devices that stay signed in longer',
    );
  }
  if (idle < SHORTEST_ADVISED_IDLE) {
    advice.push(
      `lifetime.idle is ${idle / SECOND} s: OWASP recommends 2 minutes or more, so that nobody is signed out while reading`,
    );
  }
  return advice;
}
