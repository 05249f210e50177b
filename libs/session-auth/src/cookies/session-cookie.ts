import type { KeyRing } from '../crypto/key-ring.js';
import {
  digestOf,
  HANDLE_BYTES,
  HASH_LENGTH,
  isSessionToken,
  joinToken,
  MARK_BYTES,
  markOfUser,
  SHARD_TAG_LENGTH,
  splitToken,
} from '../crypto/session-token.js';
import type { PresentedToken } from '../session/session-reader.js';
import type { CookieAttributes } from './cookie.options.js';
import { BYTE, bytesField, randomField, SealedCookie, textField, TIME } from './sealed-cookie.js';

/** The session of a cookie. */
export interface SessionOfCookie {
  readonly userId?: string;
  readonly absoluteExpiresAt: Date;
}

/** The settings of {@link SessionCookie}. */
export interface SessionCookieSettings {
  readonly attributes: CookieAttributes;
  /** `lifetime.absolute`, milliseconds: no cookie is honoured longer than this after it was sealed. */
  readonly absolute: number;
  /** `lifetime.idle`, milliseconds. */
  readonly idle: number;
}

interface StoredSession {
  /** {@link LAYOUT}: cookies of another layout are refused. */
  readonly layout: number;
  readonly shardTag: string;
  readonly handle: string;
  readonly secret: string;
  readonly sealedAt: number;
  readonly endsAt: number;
  readonly userMark: Uint8Array;
}

/** The layout of the fields: the second one, since tokens say where their session is stored. */
const LAYOUT = 2;

/** How many opened cookies are cached. */
const REMEMBERED = 4096;

/** The session cookie: a token in its three parts, the times it was sealed and expires, and a mark of its user. */
export class SessionCookie extends SealedCookie<StoredSession, PresentedToken> {
  /** Whether the cookie's `Max-Age` follows the idle deadline, so that the cookie is written again when that moves. */
  readonly followsIdle: boolean;

  constructor(
    keys: KeyRing,
    private readonly settings: SessionCookieSettings,
  ) {
    super(keys, settings.attributes, {
      purpose: 'session-cookie',
      fields: {
        layout: BYTE,
        shardTag: textField(SHARD_TAG_LENGTH),
        handle: randomField(HANDLE_BYTES),
        secret: textField(HASH_LENGTH),
        sealedAt: TIME,
        endsAt: TIME,
        userMark: bytesField(MARK_BYTES),
      },
      lifetime: settings.absolute,
      contentOf: ({ layout, userMark, ...parts }) => {
        const token = joinToken(parts);
        return layout === LAYOUT && isSessionToken(token) ? { token, digest: digestOf(token), userMark } : undefined;
      },
      remembered: REMEMBERED,
    });
    this.followsIdle = settings.attributes.maxAge === 'idle';
  }

  /** Returns the `Set-Cookie` value that gives a session's token to the client. */
  issue(token: string, { userId, absoluteExpiresAt }: SessionOfCookie, now: number): string {
    const endsAt = absoluteExpiresAt.getTime();
    const stored = { layout: LAYOUT, ...splitToken(token), sealedAt: now, endsAt, userMark: markOfUser(userId) };
    return this.seal(stored, this.#maxAge(endsAt - now));
  }

  #maxAge(remaining: number): number | undefined {
    const { maxAge } = this.attributes;
    if (maxAge === 'idle') return Math.min(this.settings.idle, remaining);
    return maxAge === 'absolute' ? remaining : maxAge;
  }
}
