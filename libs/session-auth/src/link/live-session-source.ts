import type { SessionData, SessionRecord } from '../session/session-record.js';
import { isSessionRequired } from '../session/session-required.js';
import type { SessionScope } from '../session/session-scope.js';
import type { SessionUpdates } from '../session/session-updates.js';
import type { SessionSource } from '../session/session.js';
import type { LiveSession } from './live-session.js';

/** What a session that is followed asks for. What it writes is there for all that follow it on this node. */
export class LiveSessionSource implements SessionSource {
  /** @param readAgain the record as the store has it, or undefined when the session has ended */
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
      // the token may have been replaced in passing since the record was read, which nobody is told
      const present = isSessionRequired(error) ? await this.readAgain() : undefined;
      if (present === undefined || present.digest === digest) throw error;
      return this.updates.update(present.digest, patch);
    }
  }
}
