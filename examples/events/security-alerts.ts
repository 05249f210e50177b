import { Injectable } from '@nestjs/common';
import { OnEvent } from '@nestjs/event-emitter';
import { toAuditEntry, type SessionEvent } from 'nestjs-session-auth';

/** Collects the critical events. */
@Injectable()
export class SecurityAlerts {
  readonly alerts: string[] = [];

  @OnEvent('session.*')
  @OnEvent('remember_me.*')
  onEvent(event: SessionEvent): void {
    const { level, event: name, userid } = toAuditEntry(event);
    if (level === 'critical') this.alerts.push(`${name} ${userid ?? ''}`);
  }

  @OnEvent('login.throttled')
  onThrottled({ scope, client }: Extract<SessionEvent, { type: 'login.throttled' }>): void {
    this.alerts.push(`too many failed logins (${scope}) from ${client?.ip}`);
  }
}
