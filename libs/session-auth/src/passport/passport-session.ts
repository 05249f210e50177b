import type { Session } from '../session/session.js';

/** Called when something is done, with the error if it failed: as express-session calls it. */
export type SessionCallback = (error?: unknown) => void;

/** What the methods of a {@link PassportSession} are done by. */
export interface SessionOwner {
  save(view: PassportSession, callback?: SessionCallback): void;
  destroy(view: PassportSession, callback?: SessionCallback): void;
  regenerate(view: PassportSession, callback?: SessionCallback): void;
  reload(view: PassportSession, callback?: SessionCallback): void;
}

/** What code that knows express-session reads of the session's cookie. Nothing that is set here has an effect. */
export interface PassportSessionCookie {
  readonly httpOnly: true;
  /** When the session ends if nothing more is heard; null without a session. */
  readonly expires: Date | null;
  /** Milliseconds until `expires`; null without a session. */
  readonly originalMaxAge: number | null;
  readonly maxAge: number | null;
}

/**
 * `req.session` behind {@link SessionPassport}: the data of the request's session as it was when the request came in,
 * and what the request has changed. It is a copy, and nothing of it is stored before the response ends or
 * {@link PassportSession.save} is called.
 *
 * Names of methods, and what all objects have, are no keys: data under such a key is neither shown nor written. The key
 * `passport` keeps nothing: who is signed in is what the session says, never what is in its data.
 */
export class PassportSession {
  [key: string]: unknown;
  readonly #owner: SessionOwner;
  readonly #session: Session | undefined;
  #passport: object | undefined;

  /** @internal */
  constructor(owner: SessionOwner, session: Session | undefined) {
    this.#owner = owner;
    this.#session = session;
    const data: Readonly<Record<string, unknown>> = session?.data ?? {};
    for (const key of Object.keys(data)) if (isDataKey(key)) this[key] = structuredClone(data[key]);
  }

  /** The public handle of the session; undefined while there is none. */
  get id(): string | undefined {
    return this.#session?.id;
  }

  /** For code that reads it. The cookie is written by the options `cookie` and `lifetime` of the module. */
  get cookie(): PassportSessionCookie {
    const { expiresAt, lastActivityAt } = this.#session ?? {};
    const expires = expiresAt ?? null;
    const maxAge = expiresAt && lastActivityAt ? expiresAt.getTime() - lastActivityAt.getTime() : null;
    return { httpOnly: true, expires, originalMaxAge: maxAge, maxAge };
  }

  set cookie(_ignored: unknown) {
    // merging the data of one session into another sets it
  }

  /** What passport's own session manager has put there in this request, without the user. */
  get passport(): unknown {
    return this.#passport;
  }

  set passport(given: unknown) {
    this.#passport = given === undefined || given === null ? undefined : withoutUser();
  }

  /**
   * An application may merge a body into it as it is: a key of this name would replace what all methods are found by.
   * @internal
   */
  get ['__proto__'](): unknown {
    return PassportSession.prototype;
  }

  set ['__proto__'](_ignored: unknown) {
    // nothing
  }

  /** Stores what has changed so far. */
  save(callback?: SessionCallback): this {
    this.#owner.save(this, callback);
    return this;
  }

  /**
   * Ends the session, as a logout does: `req.session` is undefined from now on, and what is written to this object goes
   * nowhere.
   */
  destroy(callback?: SessionCallback): this {
    this.#owner.destroy(this, callback);
    return this;
  }

  /**
   * Ends the session. `req.session` is empty when it is done; a new session is made when something is written to it.
   */
  regenerate(callback?: SessionCallback): this {
    this.#owner.regenerate(this, callback);
    return this;
  }

  /** Reads the session again. What the request has changed and not saved is dropped. */
  reload(callback?: SessionCallback): this {
    this.#owner.reload(this, callback);
    return this;
  }

  /** Does nothing: the request itself was the activity. */
  touch(): this {
    return this;
  }

  /** As {@link touch}. */
  resetMaxAge(): this {
    return this;
  }
}

/** Whether data can be under this key of a {@link PassportSession}. */
export function isDataKey(key: string): boolean {
  return !(key in PassportSession.prototype);
}

/** An object that takes a user and never shows one. */
function withoutUser(): object {
  return Object.defineProperty({}, 'user', { get: () => undefined, set: () => undefined, configurable: true });
}
