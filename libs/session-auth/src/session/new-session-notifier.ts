import type { SessionUser } from '../users/session-user-provider.js';
import type { SessionView } from './session-view.js';

/** The notice of a session that has just begun. Holds no token. */
export interface NewSessionNotice<User extends SessionUser = SessionUser> {
  readonly user: User;
  readonly session: SessionView;
  /** Browser and system in words, such as `Firefox on Windows`. Comes from untrusted text. */
  readonly device: string;
  readonly ip: string | undefined;
  /** Whether this is the user's first login from this device; undefined when not known. */
  readonly newDevice: boolean | undefined;
  /** Whether it replaces the session that the same browser had, for example before a restart. */
  readonly isReplacement: boolean;
}

/**
 * Tells users about new sessions, by e-mail or another channel of the application (ASVS 6.3.5). Provide it as the
 * option `notifier`. Without one, nobody is notified.
 *
 * Called after each new session of a user, whatever started it. No request waits for it: a slow or failing notifier
 * neither breaks nor delays a login, and a failure is logged. A new login over a live session does not count as a new
 * session.
 */
export abstract class NewSessionNotifier<User extends SessionUser = SessionUser> {
  /** Whether this user wants to be notified. Called each time, before anything is sent. */
  abstract wants(user: User): boolean | Promise<boolean>;

  abstract send(notice: NewSessionNotice<User>): void | Promise<void>;
}
