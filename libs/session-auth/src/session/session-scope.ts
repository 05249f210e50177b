import type { ClientInfo } from '../users/client.js';

/** What a session is read for, such as a request. */
export interface SessionScope {
  /** Who asks. */
  readonly client?: ClientInfo;
  /**
   * Has a function called once when it is over. Absent where nothing tells: a session of a list is read for nothing
   * that ends.
   *
   * @throws SessionAuthError `response_not_bound` where that cannot be seen
   */
  whenOver?(callback: () => void): void;
}
