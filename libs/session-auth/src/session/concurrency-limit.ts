import { inspect } from 'node:util';
import { SessionAuthError } from '../errors/session-auth.error.js';
import type { SessionUser } from '../users/session-user-provider.js';
import { newestFirst } from './session-cursor.js';
import type { SessionRecord } from './session-record.js';
import { isSessionLimit, ON_LIMIT_VALUES, type ConcurrencyLimit, type OnLimit } from './concurrency.options.js';

/** How many sessions an account may have when a new one is made, and what happens at the limit. */
export interface Admission {
  /** The most live sessions of the user, the new one included. `Infinity`: no limit. */
  readonly max: number;
  readonly onLimit: OnLimit;
  /**
   * For how many milliseconds after its creation a session of the same device is shared instead of replaced.
   * @default 0
   */
  readonly sharedFor?: number;
  /** A session of the user that the new one replaces. */
  readonly replaces?: {
    /** Its handle. */
    readonly id: string;
    /**
     * Replaces the session only if its first and last use lie at most this many milliseconds apart. @default any number
     */
    readonly unlessUsedFor?: number;
  };
}

/**
 * Returns the admission rule for a user.
 *
 * @throws SessionAuthError `invalid_configuration` when the application's function does not return a limit
 */
export async function admissionFor(limit: ConcurrencyLimit, user: SessionUser): Promise<Admission> {
  if (typeof limit.max === 'number') return { max: limit.max, onLimit: limit.onLimit };
  // checked, because it is the application's function
  const answer: unknown = await limit.max(user);
  const given = typeof answer === 'object' && answer !== null ? answer : { max: answer };
  const { max, onLimit = limit.onLimit } = given as { readonly max?: unknown; readonly onLimit?: OnLimit };
  if (!isSessionLimit(max) || !ON_LIMIT_VALUES.includes(onLimit)) {
    throw new SessionAuthError(
      'invalid_configuration',
      `concurrency: the function returned ${inspect(answer)}; allowed is a whole number from 1 (or Infinity), ` +
        `or { max, onLimit } with onLimit one of ${ON_LIMIT_VALUES.join(', ')}`,
    );
  }
  return { max, onLimit };
}

/** The result of {@link planAdmission}. */
export type AdmissionPlan<Live> =
  | { readonly status: 'exists'; readonly id: string }
  | { readonly status: 'in_use' | 'limit_reached' }
  | { readonly status: 'admitted'; readonly evicted: readonly Live[]; readonly replaced: readonly Live[] };

/**
 * Decides what `SessionStore.create` does: which sessions end, or why the new one is not made.
 *
 * @param live the live sessions of `record.userId`; none of them has the record's handle
 */
export function planAdmission<Live extends Pick<SessionRecord, 'id' | 'device' | 'createdAt' | 'lastActivityAt'>>(
  record: Pick<SessionRecord, 'device'>,
  live: readonly Live[],
  { max, onLimit, sharedFor = 0, replaces }: Admission,
  now: number,
): AdmissionPlan<Live> {
  const ofDevice = live.filter(({ device }) => device !== undefined && device === record.device);
  const shared = ofDevice.find(({ createdAt }) => Math.max(now - createdAt, 0) < sharedFor);
  if (shared !== undefined) return { status: 'exists', id: shared.id };
  const named = live.find(({ id }) => id === replaces?.id);
  const { unlessUsedFor = Infinity } = replaces ?? {};
  if (named !== undefined && named.lastActivityAt - named.createdAt > unlessUsedFor) return { status: 'in_use' };
  const replaced = live.filter((session) => session === named || ofDevice.includes(session));
  const others = live.filter((session) => !replaced.includes(session));
  const surplus = Math.max(others.length - max + 1, 0);
  if (surplus > 0 && onLimit === 'reject') return { status: 'limit_reached' };
  const by = onLimit === 'evict-least-recent' ? 'lastActivityAt' : 'createdAt';
  // an account without a limit may have thousands
  if (surplus > 0) others.sort((a, b) => a[by] - b[by] || newestFirst(b, a));
  return { status: 'admitted', evicted: others.slice(0, surplus), replaced };
}
