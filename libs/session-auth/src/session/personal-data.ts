import type { AuditErasure } from '../events/audit-log.js';
import type { ClientInfo } from '../users/client.js';
import type { SessionData } from './session-record.js';
import type { SessionView } from './session-view.js';

/** What {@link SessionLifecycleService.exportUser} looks for besides the user's id. */
export interface ExportUser {
  /**
   * The names that the user types to log in, such as the e-mail address, including former ones. Failed logins are
   * counted under a keyed digest of the name, so only the name finds them. @default none
   */
  readonly loginNames?: readonly string[];
}

/** The options of {@link SessionLifecycleService.eraseUser}. */
export interface EraseUser extends ExportUser {
  /** What happens to records of the audit log. @default 'anonymise' */
  readonly audit?: AuditErasure;
  /** The client that asks, for the events of the sessions that end. @default unknown */
  readonly client?: ClientInfo;
}

/** A session as an export shows it to its user: with the application's data, without token or digest. */
export interface ExportedSession extends SessionView {
  readonly data: SessionData;
}

/** A remembered device as an export shows it to its user. Times are ISO 8601 in UTC. */
export interface ExportedDevice {
  readonly id: string;
  readonly createdAt: string;
  readonly lastUsedAt: string;
  readonly expiresAt: string;
  readonly ip?: string;
  readonly userAgent?: string;
}

/** A count of the login throttle. */
export interface ExportedLoginCount {
  /** The key of the count: the user's id, or one of the login names. */
  readonly of: 'user' | 'login name';
  /** `failures` and `blocks` of logins, `known` for an address, `devices`, `changed` for changed credentials. */
  readonly kind: string;
  readonly count: number;
  /** When the count expires: ISO 8601 in UTC. */
  readonly until: string;
}

/** Everything that is stored about a user. It can be written as JSON. */
export interface UserExport {
  readonly userId: string;
  /** Live sessions, newest login first. */
  readonly sessions: readonly ExportedSession[];
  readonly rememberedDevices: readonly ExportedDevice[];
  readonly loginCounts: readonly ExportedLoginCount[];
  /** The records of the audit log, in its own form. */
  readonly auditRecords: readonly object[];
  /** The class of an audit log that has no `exportUser`: read it by other means. Empty: nothing is missing. */
  readonly missing: readonly string[];
}

/** How much was erased. All zero: nothing was stored about the user. */
export interface UserErasure {
  readonly sessions: number;
  readonly rememberedDevices: number;
  readonly loginCounts: number;
  /** Records of the audit log that were changed or removed. */
  readonly auditRecords: number;
  /** The class of an audit log that has no `eraseUser`: erase it by other means. Empty: nothing is missing. */
  readonly missing: readonly string[];
}

/** Everything that is stored about a user, as the session lifecycle needs it. */
export abstract class PersonalData {
  abstract export(userId: string, options: ExportUser): Promise<UserExport>;
  abstract erase(userId: string, options: EraseUser): Promise<UserErasure>;
}
