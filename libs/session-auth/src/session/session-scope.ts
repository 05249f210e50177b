import type { ClientInfo } from '../users/client.js';

/** What a session is read for, such as a request. */
export interface SessionScope {
  /** Who asks. */
  readonly client?: ClientInfo;
  /**
   * Calls a function once when the scope ends. Absent for scopes that do not end, such as a session of a list.
   *
   * @throws SessionAuthError `response_not_bound` when the end cannot be observed
   */
  whenOver?(callback: () => void): void;
}
