import { Injectable } from '@nestjs/common';
import { setMaxListeners } from 'node:events';
import { SessionAuthError } from '../errors/session-auth.error.js';
import type { SessionRecord } from '../session/session-record.js';
import { endedWith } from '../session/session-required.js';
import type { SessionScope } from '../session/session-scope.js';
import { SessionUpdates } from '../session/session-updates.js';
import type { SessionSignals } from '../session/session.js';
import type { SessionFollower } from './live-session.js';
import { LiveSessions } from './live-sessions.js';

/** Provides the signals of sessions. Each follows its session until the scope that it was read for ends. */
@Injectable()
export class FollowingSignals implements SessionSignals {
  /** By scope and handle: all readers in one request get the same signal. */
  readonly #signals = new WeakMap<SessionScope, Map<string, AbortSignal>>();

  constructor(
    private readonly sessions: LiveSessions,
    updates: SessionUpdates,
  ) {
    updates.provideSignals(this);
  }

  signalOf(record: SessionRecord, scope: SessionScope | undefined): AbortSignal {
    if (scope?.whenOver === undefined) throw new SessionAuthError('request_not_bound', NO_REQUEST);
    const known = this.#signals.get(scope) ?? new Map<string, AbortSignal>();
    const signal = known.get(record.id) ?? this.#follow(record, scope);
    this.#signals.set(scope, known.set(record.id, signal));
    return signal;
  }

  #follow(record: SessionRecord, scope: SessionScope): AbortSignal {
    const controller = new AbortController();
    // a handler may pass it to any number of requests
    setMaxListeners(0, controller.signal);
    const follower: SessionFollower = { ended: (reason) => controller.abort(endedWith(reason)) };
    const live = this.sessions.follow(record.digest, follower);
    try {
      scope.whenOver!(() => this.sessions.unfollow(live, follower));
    } catch (error) {
      this.sessions.unfollow(live, follower);
      throw error;
    }
    // a session without a record is never looked up in the store
    if (!live.isKnown) live.keep(record);
    // it may have ended between the request's read and now
    this.sessions.current(live, scope).catch(() => (live.isDoubtful = true));
    return controller.signal;
  }
}

const NO_REQUEST =
  'only the session of a request or of an open connection has a signal; this one came from a list, or was found by its handle or ' +
  'by its token';
