import type { Session } from '../session/session.js';

/** Called when an operation is done, with the error if it failed, as in express-session. */
export type SessionCallback = (error?: unknown) => void;

/** The object that implements the methods of a {@link PassportSession}. */
export interface SessionOwner {
  save(view: PassportSession, callback?: SessionCallback): void;
  destroy(view: PassportSession, callback?: SessionCallback): void;
  regenerate(view: PassportSession, callback?: SessionCallback): void;
  reload(view: PassportSession, callback?: SessionCallback): void;
}

/** The session's cookie, as code for express-session reads it. Setting a property has no effect. */
export interface PassportSessionCookie {
  readonly httpOnly: true;
  /** When the session ends if no further request arrives; null without a session. */
  readonly expires: Date | null;
  /** Milliseconds until `expires`; null without a session. */
  readonly originalMaxAge: number | null;
  readonly maxAge: number | null;
}

/**
 * `req.session` behind {@link SessionPassport}: the data of the request's session as it was when the request arrived,
 * with the changes of this request. It is a copy. It is not stored before the response ends or
 * {@link PassportSession.save} is called.
 *
 * Names of methods, and of members of every object, are not valid keys: data under such a key is neither shown nor
 * written. The key `passport` stores nothing: the session itself names the signed-in user, and its data never does.
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

  /** The public handle of the session; undefined without a session. */
  get id(): string | undefined {
    return this.#session?.id;
  }

  /** For code that reads it. The options `cookie` and `lifetime` of the module determine the cookie that is sent. */
  get cookie(): PassportSessionCookie {
    const { expiresAt, lastActivityAt } = this.#session ?? {};
    const expires = expiresAt ?? null;
    const maxAge = expiresAt && lastActivityAt ? expiresAt.getTime() - lastActivityAt.getTime() : null;
    return { httpOnly: true, expires, originalMaxAge: maxAge, maxAge };
  }

  set cookie(_ignored: unknown) {
    // code that merges the data of one session into another sets it
  }

  /** The value that passport's own session manager has set in this request, without the user. */
  get passport(): unknown {
    return this.#passport;
  }

  set passport(given: unknown) {
    this.#passport = given === undefined || given === null ? undefined : withoutUser();
  }

  /**
   * An application may merge a request body into it: a key of this name would replace the prototype, which has all
   * methods.
   * @internal
   */
  get ['__proto__'](): unknown {
    return PassportSession.prototype;
  }

  set ['__proto__'](_ignored: unknown) {
    // nothing
  }

  /** Stores the changes so far. */
  save(callback?: SessionCallback): this {
    this.#owner.save(this, callback);
    return this;
  }

  /**
   * Ends the session, as a logout does. `req.session` is undefined from now on, and writes to this object are not
   * stored.
   */
  destroy(callback?: SessionCallback): this {
    this.#owner.destroy(this, callback);
    return this;
  }

  /** Ends the session. `req.session` is empty afterwards; the next write to it creates a new session. */
  regenerate(callback?: SessionCallback): this {
    this.#owner.regenerate(this, callback);
    return this;
  }

  /** Reads the session again. Unsaved changes of the request are dropped. */
  reload(callback?: SessionCallback): this {
    this.#owner.reload(this, callback);
    return this;
  }

  /** Does nothing: the request itself was the activity. */
  touch(): this {
    return this;
  }

  /** Same as {@link touch}. */
  resetMaxAge(): this {
    return this;
  }
}

/** Whether this key of a {@link PassportSession} can contain data. */
export function isDataKey(key: string): boolean {
  return !(key in PassportSession.prototype);
}

/** An object that accepts a user but never returns one. */
function withoutUser(): object {
  return Object.defineProperty({}, 'user', { get: () => undefined, set: () => undefined, configurable: true });
}
