import type { AuditErasure } from '../events/audit-log.js';
import type { ClientInfo } from '../users/client.js';
import type { SessionData } from './session-record.js';
import type { SessionView } from './session-view.js';

/** What {@link SessionLifecycleService.exportUser} is to look for besides the user's id. */
export interface ExportUser {
  /**
   * What the user types to log in, such as the e-mail address, former ones included. Failed logins are counted under a
   * keyed digest of it, so they are found by nothing else. @default none
   */
  readonly loginNames?: readonly string[];
}

/** How {@link SessionLifecycleService.eraseUser} is to go about it. */
export interface EraseUser extends ExportUser {
  /** What happens to records of the audit log. @default 'anonymise' */
  readonly audit?: AuditErasure;
  /** Who asks, for the events of the sessions that end. @default nobody known */
  readonly client?: ClientInfo;
}

/** A session as its user may have it: with the application's data, without token or digest. */
export interface ExportedSession extends SessionView {
  readonly data: SessionData;
}

/** A remembered device as its user may have it. Times are ISO 8601 in UTC. */
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
  /** Under what it is kept: the user's id, or one of the login names. */
  readonly of: 'user' | 'login name';
  /** `failures` and `blocks` of logins, `known` for an address, `devices`, `changed` for changed credentials. */
  readonly kind: string;
  readonly count: number;
  /** When it is forgotten: ISO 8601 in UTC. */
  readonly until: string;
}

/** What is kept of a user. It can be written as JSON. */
export interface UserExport {
  readonly userId: string;
  /** Live sessions, newest login first. */
  readonly sessions: readonly ExportedSession[];
  readonly rememberedDevices: readonly ExportedDevice[];
  readonly loginCounts: readonly ExportedLoginCount[];
  /** What the audit log has, in its own form. */
  readonly auditRecords: readonly object[];
  /** The class of an audit log that has no `exportUser`: ask it by other means. Empty: nothing is missing. */
  readonly missing: readonly string[];
}

/** How much was erased. All zero: nothing was left of the user. */
export interface UserErasure {
  readonly sessions: number;
  readonly rememberedDevices: number;
  readonly loginCounts: number;
  /** Records of the audit log that were changed or removed. */
  readonly auditRecords: number;
  /** The class of an audit log that has no `eraseUser`: see to it by other means. Empty: nothing is missing. */
  readonly missing: readonly string[];
}

/** All that is kept of a user, as the lifecycle of sessions sees it. */
export abstract class PersonalData {
  abstract export(userId: string, options: ExportUser): Promise<UserExport>;
  abstract erase(userId: string, options: EraseUser): Promise<UserErasure>;
}
