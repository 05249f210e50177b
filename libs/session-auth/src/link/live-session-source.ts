import type { SessionData, SessionRecord } from '../session/session-record.js';
import { isSessionRequired } from '../session/session-required.js';
import type { SessionScope } from '../session/session-scope.js';
import type { SessionUpdates } from '../session/session-updates.js';
import type { SessionSource } from '../session/session.js';
import type { LiveSession } from './live-session.js';

/** Serves the methods of a followed session. Every follower on this node sees what it writes. */
export class LiveSessionSource implements SessionSource {
  /** @param readAgain returns the record from the store, or undefined when the session has ended */
  constructor(
    private readonly session: LiveSession,
    private readonly updates: SessionUpdates,
    private readonly readAgain: () => Promise<SessionRecord | undefined>,
  ) {}

  get realm(): string {
    return this.updates.realm;
  }

  signalOf(record: SessionRecord, scope: SessionScope | undefined): AbortSignal {
    return this.updates.signalOf(record, scope);
  }

  async update(digest: string, patch: object): Promise<SessionData> {
    const data = await this.#write(digest, patch);
    const { record } = this.session;
    if (record !== undefined) this.session.keep({ ...record, data });
    return data;
  }

  async #write(digest: string, patch: object): Promise<SessionData> {
    try {
      return await this.updates.update(digest, patch);
    } catch (error) {
      // the token may have been replaced since the record was read, which publishes no signal
      const present = isSessionRequired(error) ? await this.readAgain() : undefined;
      if (present === undefined || present.digest === digest) throw error;
      return this.updates.update(present.digest, patch);
    }
  }
}
