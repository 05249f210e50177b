import type { Admission, OnTheft, SessionAuthentication, SessionData, SessionUser } from 'nestjs-session-auth';

/** The settings of one run. Times in milliseconds. */
export interface ModelSettings {
  readonly idle: number;
  readonly absolute: number;
  readonly touchInterval: number;
  readonly rotationGrace: number;
  /** Bytes. */
  readonly maxDataSize: number;
  readonly rememberMe: {
    readonly lifetime: number;
    readonly sliding: boolean;
    readonly reuseGrace: number;
    readonly onTheft: OnTheft;
  };
}

/** A token that was replaced and still works until a time. */
export interface Replaced {
  readonly token: string;
  readonly until: number;
}

/** A session as everybody may see it, with its secret. */
export interface ReferenceSession {
  readonly id: string;
  readonly userId?: string;
  email?: string;
  roles: readonly string[];
  createdAt: number;
  authenticatedAt?: number;
  authentication?: SessionAuthentication;
  factors?: Readonly<Record<string, number>>;
  rotatedAt: number;
  lastActivityAt: number;
  expiresAt: number;
  readonly data: SessionData;
  absoluteExpiresAt: number;
  ip?: string;
  token: string;
  replaced: Replaced[];
  /** Expired, and a store may have removed it without telling. */
  faded: boolean;
}

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
  readonly identity?: Names;
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
