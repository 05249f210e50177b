import { Injectable, Optional } from '@nestjs/common';
import { StoreDeadline } from '../async/store-deadline.js';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { AuditAggregation } from '../events/audit-aggregation.js';
import { AuditLog } from '../events/audit-log.js';
import {
  hasSoundTimes,
  RememberMeTokenStore,
  type RememberMeTokenRecord,
} from '../remember-me/remember-me-token-store.js';
import {
  PersonalData,
  type EraseUser,
  type ExportedDevice,
  type ExportedSession,
  type ExportUser,
  type UserErasure,
  type UserExport,
} from '../session/personal-data.js';
import { SessionUpdates } from '../session/session-updates.js';
import { Session } from '../session/session.js';
import { UserSessions } from '../session/user-sessions.js';
import { LoginThrottle } from '../throttle/login-throttle.js';
import { Clock } from '../time/clock.js';

const PAGE = 1000;

/** If the user keeps logging in, there is always another session, so more passes would not help. */
const MAX_PASSES = 10;

/** Collects and erases everything that the stores keep about a user. {@link SessionLifecycleService} documents both. */
@Injectable()
export class StoredPersonalData extends PersonalData {
  constructor(
    private readonly ofUsers: UserSessions,
    private readonly updates: SessionUpdates,
    private readonly tokens: RememberMeTokenStore,
    private readonly deadline: StoreDeadline,
    private readonly clock: Clock,
    private readonly auditLog: AuditLog,
    private readonly aggregation: AuditAggregation,
    /** Absent when the throttle is off. */
    @Optional() private readonly throttle?: LoginThrottle,
  ) {
    super();
  }

  async export(userId: string, { loginNames = [] }: ExportUser): Promise<UserExport> {
    const { auditLog } = this;
    const [sessions, devices, loginCounts = []] = await Promise.all([
      this.#sessionsOf(userId),
      this.deadline.run(() => this.tokens.list(userId, this.clock.now())),
      this.throttle?.countsOf(userId, loginNames),
    ]);
    this.aggregation.flush();
    return {
      userId,
      sessions,
      rememberedDevices: devices.filter((device) => isOf(userId, device)).map(exportedDevice),
      loginCounts,
      auditRecords: (await this.#askAuditLog(() => auditLog.exportUser?.(userId))) ?? [],
      missing: auditLog.exportUser === undefined ? [auditLog.constructor.name] : [],
    };
  }

  async erase(userId: string, options: EraseUser): Promise<UserErasure> {
    const { loginNames = [], audit = 'anonymise' } = options;
    const { auditLog } = this;
    const ended = await this.#endAll(userId, options);
    const loginCounts = (await this.throttle?.forget(userId, loginNames)) ?? 0;
    // last, so that it also erases the events of the steps before
    this.aggregation.flush();
    return {
      ...ended,
      loginCounts,
      auditRecords: (await this.#askAuditLog(() => auditLog.eraseUser?.(userId, audit))) ?? 0,
      missing: auditLog.eraseUser === undefined ? [auditLog.constructor.name] : [],
    };
  }

  /** Devices first: a device that is making a session looks up its token again afterwards. */
  async #endAll(userId: string, { client }: EraseUser): Promise<Pick<UserErasure, 'sessions' | 'rememberedDevices'>> {
    let sessions = 0;
    let rememberedDevices = 0;
    for (let pass = 0; pass < MAX_PASSES; pass += 1) {
      // from the store itself, because tokens may remain from when remember-me was on
      const forgotten = await this.deadline.run(() => this.tokens.deleteByUser(userId, undefined, this.clock.now()));
      const ended = await this.ofUsers.revokeAll(userId, undefined, 'account_disabled', client);
      sessions += ended;
      rememberedDevices += forgotten;
      if (ended + forgotten === 0) break;
    }
    return { sessions, rememberedDevices };
  }

  /** Without a time limit: no request waits for a log of many years. */
  async #askAuditLog<T>(ask: () => Promise<T> | undefined): Promise<T | undefined> {
    try {
      return await ask();
    } catch (cause) {
      throw new SessionAuthError('session_store_unavailable', 'the audit log failed', { cause });
    }
  }

  async #sessionsOf(userId: string): Promise<ExportedSession[]> {
    const sessions: ExportedSession[] = [];
    let cursor: string | undefined;
    do {
      const page = await this.ofUsers.list(userId, { limit: PAGE, cursor });
      for (const record of page.records) {
        const session = new Session(record, this.updates);
        sessions.push({ ...session.toJSON(), data: session.data });
      }
      cursor = page.next;
    } while (cursor !== undefined);
    return sessions;
  }
}

/** Records of another user are never returned, even if the store returns them. */
function isOf(userId: string, record: RememberMeTokenRecord): boolean {
  return record.userId === userId && hasSoundTimes(record);
}

function exportedDevice(record: RememberMeTokenRecord): ExportedDevice {
  const { id, ip, userAgent } = record;
  return {
    id,
    createdAt: textOf(record.createdAt),
    lastUsedAt: textOf(record.lastUsedAt),
    expiresAt: textOf(record.expiresAt),
    ip,
    userAgent,
  };
}

function textOf(time: number): string {
  return new Date(time).toISOString();
}
