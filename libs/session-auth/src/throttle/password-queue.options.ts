import type { OptionReader } from '../options/option-reader.js';

/** How many passwords may wait to be checked on one node. Further logins and re-authentications are refused at once. */
export interface PasswordQueueOptions {
  /**
   * From one address (an IPv6 site of 56 bits counts as one); beyond it the response is 429 `too_many_attempts`. From 1
   * to 10000.
   *
   * @default 64
   */
  readonly perAddress?: number;
  /** From all addresses together; beyond it the response is 503 `server_busy`. From 1 to 10000. @default 256 */
  readonly total?: number;
}

/** The resolved `passwordQueue` options. */
export interface PasswordQueueSettings {
  readonly perAddress: number;
  readonly total: number;
}

/** Where {@link PasswordQueueSettings} are injected from. */
export const PASSWORD_QUEUE_SETTINGS = Symbol('nestjs-session-auth password queue settings');

/** The defaults of {@link PasswordQueueOptions}. */
export const DEFAULT_PASSWORD_QUEUE: PasswordQueueSettings = { perAddress: 64, total: 256 };

const MAX_WAITING = 10_000;

/** The slice `passwordQueue` of the options. */
export function resolvePasswordQueue(root: OptionReader): PasswordQueueSettings {
  const queue = root.slice('passwordQueue', ['perAddress', 'total']);
  return {
    perAddress: queue.integer('perAddress', DEFAULT_PASSWORD_QUEUE.perAddress, 1, MAX_WAITING),
    total: queue.integer('total', DEFAULT_PASSWORD_QUEUE.total, 1, MAX_WAITING),
  };
}
