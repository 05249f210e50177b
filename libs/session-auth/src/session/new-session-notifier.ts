import type { SessionUser } from '../users/session-user-provider.js';
import type { SessionView } from './session-view.js';

/** What a user may be told of a session that has just begun. Holds no token. */
export interface NewSessionNotice<User extends SessionUser = SessionUser> {
  readonly user: User;
  readonly session: SessionView;
  /** Browser and system in words, such as `Firefox on Windows`. Made of untrusted text. */
  readonly device: string;
  readonly ip: string | undefined;
  /** Whether the user had not signed in from this device before; undefined where that is not known. */
  readonly newDevice: boolean | undefined;
  /** Whether it takes the place of the session that the same browser had: it was restarted, say. */
  readonly isReplacement: boolean;
}

/**
 * Tells users of new sessions, by e-mail or however the application does (ASVS 6.3.5). Give it as the option
 * `notifier`; without one nobody is told.
 *
 * Called after each new session of a user, however it came to be, and never awaited by the request: a notifier that
 * fails or is slow breaks and delays no login, and the failure is logged. A renewed login over a live session is no
 * new session.
 */
export abstract class NewSessionNotifier<User extends SessionUser = SessionUser> {
  /** Whether this user wants to be told. Asked each time, before anything is sent. */
  abstract wants(user: User): boolean | Promise<boolean>;

  abstract send(notice: NewSessionNotice<User>): void | Promise<void>;
}
