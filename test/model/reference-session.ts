import type { Admission, OnReuse, OnTheft, SessionAuthentication, SessionData, SessionUser } from 'nestjs-session-auth';
import type { ReferenceTokens } from './reference-tokens.js';

/** The settings of one run. Times in milliseconds. */
export interface ModelSettings {
  readonly idle: number;
  readonly absolute: number;
  readonly touchInterval: number;
  readonly rotationGrace: number;
  readonly rotateEvery: number | undefined;
  readonly onReuse: OnReuse;
  /** Bytes. */
  readonly maxDataSize: number;
  readonly rememberMe: {
    readonly lifetime: number;
    readonly sliding: boolean;
    readonly reuseGrace: number;
    readonly onTheft: OnTheft;
  };
}

/** A session as everybody may see it, with its secrets. */
export interface ReferenceSession {
  readonly id: string;
  readonly userId?: string;
  email?: string;
  roles: readonly string[];
  createdAt: number;
  authenticatedAt?: number;
  authentication?: SessionAuthentication;
  readonly device?: string;
  factors?: Readonly<Record<string, number>>;
  rotatedAt: number;
  lastActivityAt: number;
  expiresAt: number;
  readonly data: SessionData;
  absoluteExpiresAt: number;
  ip?: string;
  readonly tokens: ReferenceTokens;
  /** Expired, and a store may have removed it without telling. */
  faded: boolean;
}

/** What a request knows of its session: all that it has read. */
export interface Seen {
  /** The token that the session is at hand by. */
  readonly token: string;
  /** As it was when it was read, or when the request changed its token. */
  readonly session: ReferenceSession;
  /** What the request may do. */
  readonly roles: readonly string[];
}

/** A token that was given to a client, and the session that the request goes on with. */
export interface Given {
  readonly token: string;
  readonly seen: Seen;
}

/** Steps of a store: between two of them others may come in. */
export type Steps<T> = Generator<undefined, T, undefined>;

/** An event as the model expects it; one in brackets may or may not come. */
export interface ExpectedEvent {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly optional: boolean;
}

/** What a login asks for. */
export interface Login {
  readonly user?: SessionUser;
  readonly admission: Admission;
  readonly authentication?: SessionAuthentication;
  readonly authenticatedAt?: number;
  readonly ip?: string;
  readonly data: SessionData;
  readonly newDevice?: boolean;
  /** The token, where it was made elsewhere. */
  readonly token?: string;
  readonly device?: string;
}

/** The random names that a session got: a model cannot know them beforehand. */
export interface Names {
  readonly token: string;
  readonly id: string;
}

/** Thrown where an operation has to be refused. */
export class Refused extends Error {
  static readonly #byCode = new Map<string, Refused>();

  private constructor(readonly code: string) {
    super(code);
  }

  /** One for each code: to note the stack of each would take longer than the operation. */
  static with(code: string): Refused {
    const known = Refused.#byCode.get(code) ?? new Refused(code);
    Refused.#byCode.set(code, known);
    return known;
  }
}
