import { Logger } from '@nestjs/common';
import { Observable, Subscription } from 'rxjs';
import type { SessionAuthError } from '../errors/session-auth.error.js';
import type { HttpRouteSession } from '../http/several-sessions.js';

/** Milliseconds for interceptors to complete a stream whose source has ended. */
const GRACE = 1000;

/**
 * Emits the values of a source until the session of a request ends. Then it unsubscribes from the source, emits a last
 * event `session_ended`, and completes. Without a session of a user, it emits the source unchanged.
 */
export function untilSessionEnds(source: Observable<unknown>, route: HttpRouteSession): Observable<unknown> {
  return new Observable((subscriber) => {
    let signal: AbortSignal | undefined;
    const subscription = new Subscription();
    const end = (): void => {
      // an interceptor may keep the response open with its own events
      route.present.exchange.finishWithin(GRACE);
      // at once: the last event may wait for a client that reads nothing
      release(subscription);
      const { code, endReason } = signal!.reason as SessionAuthError;
      subscriber.next({ type: 'session_ended', data: { code, endReason } });
      subscriber.complete();
    };
    // a handler that listens to the signal may react first; the stream ends like this in any case
    const unlessEnded =
      <Args extends unknown[]>(tell: (...args: Args) => void) =>
      (...args: Args): void => {
        if (signal?.aborted !== true) tell(...args);
        else if (!subscriber.closed) end();
      };
    subscriber.add(subscription);
    subscriber.add(() => signal?.removeEventListener('abort', end));
    subscription.add(
      source.subscribe({
        next: unlessEnded((event) => subscriber.next(event)),
        error: unlessEnded((error) => subscriber.error(error)),
        complete: unlessEnded(() => subscriber.complete()),
      }),
    );
    void signalOf(route).then((found) => {
      if (found === undefined || subscriber.closed) return;
      signal = found;
      if (signal.aborted) end();
      else signal.addEventListener('abort', end, { once: true });
    });
  });
}

/** Unsubscribes, and catches errors of the application's own teardown, which nobody else would catch. */
function release(subscription: Subscription): void {
  try {
    subscription.unsubscribe();
  } catch (error) {
    new Logger('SessionAuth').error('a stream failed when its session ended', error);
  }
}

/** Returns the signal of the session of a request's own cookie; undefined without a session that could end. */
async function signalOf(route: HttpRouteSession): Promise<AbortSignal | undefined> {
  try {
    const session = await route.loadLive();
    return session?.userId === undefined ? undefined : session.signal;
  } catch {
    // its realm has no link, which the log said at boot; or a public handler without a session runs without the store
    return undefined;
  }
}
