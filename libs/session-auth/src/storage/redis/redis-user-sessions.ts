import { addressOf, issueHandle, shardTagOf } from '../../crypto/session-token.js';
import type { SessionEndReason } from '../../events/session-event.js';
import { ifReadable } from '../../session/corrupt-record.js';
import { parseSessionCursor } from '../../session/session-cursor.js';
import type { SessionRecord } from '../../session/session-record.js';
import type {
  DeleteByUserOutcome,
  EndedSession,
  SessionList,
  SessionPage,
  UserSessionsToEnd,
} from '../../session/session-store.js';
import { keyOf, keyOfUser, KIND, userKeyOf } from './redis-keys.js';
import type { RedisScript } from './redis-script.js';
import { decodeRecord, encodeFields } from './redis-session-codec.js';
import { DELETE } from './redis-session-scripts.js';
import { DELETE_BY_USER, LIST, UPDATE_BY_USER } from './redis-user-scripts.js';

const UPDATE_STEP = 500;

/** The operations of {@link RedisSessionStore} on sessions by user, independent of their tokens. */
export class RedisUserSessions {
  /** @param run runs a script in one round trip */
  constructor(
    private readonly namespace: string,
    private readonly run: (
      script: RedisScript,
      keys: readonly string[],
      args: readonly (string | number)[],
    ) => Promise<unknown>,
  ) {}

  async list(userId: string, { limit, cursor }: SessionPage, now: number): Promise<SessionList> {
    const place = parseSessionCursor(cursor);
    const args = [now, limit, place?.createdAt ?? '', place?.id ?? ''];
    const [next, ...rest] = (await this.run(LIST, [this.#indexKey(userId)], args)) as [string, ...string[]];
    const records: SessionRecord[] = [];
    for (let i = 0; i < rest.length; i += 2) {
      const record = ifReadable(() => decodeRecord(addressOf(userId, rest[i]!), rest[i + 1]!));
      if (record !== undefined) records.push(record);
    }
    const unreadable = rest.length / 2 - records.length;
    return { records, next: next === '' ? undefined : next, ...(unreadable > 0 && { unreadable }) };
  }

  async deleteByHandle(
    userId: string,
    handle: string,
    now: number,
    reason: SessionEndReason = 'revoked',
  ): Promise<EndedSession | undefined> {
    // uses the whole given text: building an address would cut it to the length of a handle
    const key = keyOf(this.namespace, KIND.session, shardTagOf(userId) + handle);
    const value = await this.run(
      DELETE,
      [key, this.#answerKey(userId)],
      [now, userKeyOf(userId), JSON.stringify(reason)],
    );
    return value === null ? undefined : { id: handle, userId };
  }

  async deleteByUser(
    userId: string,
    { except, limit, reason = 'revoked' }: UserSessionsToEnd,
    now: number,
  ): Promise<DeleteByUserOutcome> {
    const keys = [this.#indexKey(userId), this.#answerKey(userId)];
    const reply = (await this.run(DELETE_BY_USER, keys, [now, limit, except ?? '', JSON.stringify(reason)])) as string;
    const [more, ...handles] = reply.split(' ');
    return { ended: handles.map((id) => ({ id, userId })), more: more === 'more' };
  }

  async updateByUser(
    userId: string,
    changes: { readonly roles?: readonly string[]; readonly email?: string },
    now: number,
  ): Promise<number> {
    const { roles, email } = changes;
    const lines = encodeFields({ email, rotatedAt: 0 }).flat();
    const rolesJson = roles === undefined ? '' : JSON.stringify(roles);
    let changed = 0;
    for (let from = '-inf'; from !== '';) {
      const args = [now, from === '-inf' ? from : `(${from}`, UPDATE_STEP, rolesJson, ...lines];
      const reply = await this.run(UPDATE_BY_USER, [this.#indexKey(userId)], args);
      // with the client's option `stringNumbers`, a count is text
      const [step, next] = reply as [number | string, string];
      changed += Number(step);
      from = next;
    }
    return changed;
  }

  /** Returns the key where the reply to one command is kept, beside those of the user. */
  #answerKey(userId: string): string {
    return keyOf(this.namespace, KIND.answer, shardTagOf(userId) + issueHandle());
  }

  #indexKey(userId: string): string {
    return keyOfUser(this.namespace, KIND.userSessions, userId);
  }
}
