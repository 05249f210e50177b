import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { SessionEventPublisher, toAuditEntry, type AuditEntry } from 'nestjs-session-auth';

const KEPT = 200;

/** The latest events on this node, for people to look at. The audit log proper is the library's. */
@Injectable()
export class RecentEvents implements OnModuleInit {
  readonly #entries: AuditEntry[] = [];

  constructor(@Inject(SessionEventPublisher) private readonly events: SessionEventPublisher) {}

  onModuleInit(): void {
    this.events.subscribe((event) => {
      this.#entries.push(toAuditEntry(event));
      if (this.#entries.length > KEPT) this.#entries.shift();
    });
  }

  /** The latest first. */
  latest(count: number): readonly AuditEntry[] {
    return this.#entries.slice(-count).reverse();
  }
}
