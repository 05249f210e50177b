import { parse, serialize } from 'cookie-es';
import { LruCache } from '../cache/lru-cache.js';
import { KeyRing } from '../crypto/key-ring.js';
import { otherVariants, type CookieTarget } from './cookie-variants.js';
import { MAX_COOKIE_AGE, type CookieAttributes } from './cookie.options.js';

/** How one field of a sealed cookie's content is written: always in the same number of bytes. */
export interface CookieField<T> {
  readonly bytes: number;
  write(out: Buffer, at: number, value: T): void;
  read(from: Buffer, at: number): T;
}

/** The fields of a content by name, in the order in which they are written. */
export type CookieFields<Content> = { readonly [Name in keyof Content]: CookieField<NonNullable<Content[Name]>> };

const TIME_BYTES = 6;

/** A time in milliseconds since the epoch. */
export const TIME: CookieField<number> = {
  bytes: TIME_BYTES,
  write: (out, at, time) => void out.writeUIntBE(time, at, TIME_BYTES),
  read: (from, at) => from.readUIntBE(at, TIME_BYTES),
};

/** A number from 0 to 255. */
export const BYTE: CookieField<number> = {
  bytes: 1,
  write: (out, at, value) => void out.writeUInt8(value, at),
  read: (from, at) => from.readUInt8(at),
};

/** ASCII text of this many characters. */
export function textField(length: number): CookieField<string> {
  return {
    bytes: length,
    write: (out, at, text) => void out.write(text, at, length, 'latin1'),
    read: (from, at) => from.toString('latin1', at, at + length),
  };
}

/** This many random bits, which the application sees in base64url. */
export function randomField(bytes: number): CookieField<string> {
  return {
    bytes,
    write: (out, at, text) => void out.write(text, at, bytes, 'base64url'),
    read: (from, at) => from.toString('base64url', at, at + bytes),
  };
}

/** Raw bytes. */
export function bytesField(bytes: number): CookieField<Uint8Array> {
  return {
    bytes,
    write: (out, at, value) => out.set(value, at),
    read: (from, at) => from.subarray(at, at + bytes),
  };
}

/** Several values of the same field. A shorter list is padded with zero bytes, which reading removes. */
export function listField<T>(item: CookieField<T>, most: number): CookieField<readonly T[]> {
  return {
    bytes: item.bytes * most,
    write: (out, at, items) => {
      for (const [index, each] of items.entries()) item.write(out, at + index * item.bytes, each);
    },
    read: (from, at) => {
      const items: T[] = [];
      for (let index = 0; index < most; index += 1) {
        const start = at + index * item.bytes;
        if (from.subarray(start, start + item.bytes).some((byte) => byte !== 0)) items.push(item.read(from, start));
      }
      return items;
    },
  };
}

/** The fields that say how long a value is honoured. Milliseconds since the epoch. */
export interface CookieTimes {
  readonly sealedAt?: number;
  readonly endsAt?: number;
}

/** The format of one kind of sealed cookie. */
export interface SealedCookieFormat<Stored, Content> {
  /** The cookie's purpose. It is authenticated with the value, so that no cookie is accepted for another purpose. */
  readonly purpose: string;
  /** The fields on the wire, in order. */
  readonly fields: CookieFields<Stored>;
  /** How many milliseconds a value is honoured after the time in its field `sealedAt`. @default no limit */
  readonly lifetime?: number;
  /** Returns the content of the fields; undefined refuses the value. @default the fields */
  readonly contentOf?: (stored: Stored) => Content | undefined;
  /** How many opened values are cached. @default none */
  readonly remembered?: number;
}

/** A cookie of this name in a `Cookie` header. */
export interface FoundCookie<Content> {
  /** The value, genuine or not. Several values are joined, and never match a genuine one. */
  readonly text: string;
  /** Undefined: the value is refused. */
  readonly content: Content | undefined;
  /** The value was sealed under an older key than the first: issue it again. */
  readonly outdated: boolean;
  /** The client sent several of this name, and nobody can tell whose they are. */
  readonly ambiguous: boolean;
}

interface OpenedValue<Content> {
  readonly content: Content;
  readonly outdated: boolean;
  readonly endsAt: number;
}

/**
 * A cookie whose content only this server can read and write: fields of fixed length under AES-256-GCM, bound to the
 * cookie's purpose and name. Everything else is refused before the store is read, always in the same way: a value of
 * another length, one that was not sealed here, one for another name or purpose, an expired one, and a name that occurs
 * twice.
 *
 * Opening a value costs more than all other work on a cookie, so a format can cache the last few thousand genuine
 * values (docs/decisions/0009-opened-cookies.md). Their expiry is checked at each use, and refused values are never
 * cached.
 */
export class SealedCookie<Stored extends CookieTimes, Content extends object = Stored> {
  readonly #context: string;
  readonly #sealedLength: number;
  readonly #plaintextLength: number;
  readonly #fields: readonly (readonly [keyof Stored, CookieField<unknown>])[];
  readonly #opened: LruCache<OpenedValue<Content>> | undefined;
  readonly #parsing: NonNullable<Parameters<typeof parse>[1]>;

  constructor(
    private readonly keys: KeyRing,
    protected readonly attributes: CookieAttributes,
    private readonly format: SealedCookieFormat<Stored, Content>,
  ) {
    this.#context = `${format.purpose}:${attributes.name}`;
    // nothing is decoded or unquoted: the library's values do not need it; names are case-sensitive (RFC 6265 5.4)
    this.#parsing = { filter: only(attributes.name), decode: String, allowMultiple: true };
    this.#fields = Object.entries(format.fields) as [keyof Stored, CookieField<unknown>][];
    this.#plaintextLength = this.#fields.reduce((length, [, { bytes }]) => length + bytes, 0);
    this.#sealedLength = KeyRing.sealedLength(this.#plaintextLength);
    this.#opened = format.remembered === undefined ? undefined : new LruCache(format.remembered, this.#sealedLength);
  }

  get name(): string {
    return this.attributes.name;
  }

  /** Returns the content of the cookie in a `Cookie` header; undefined when it is missing or refused. */
  read(cookieHeader: string | undefined, now: number): Content | undefined {
    return this.find(cookieHeader, now)?.content;
  }

  /** Returns the cookie of this name in a `Cookie` header, genuine or not; undefined when it is missing. */
  find(cookieHeader: string | undefined, now: number): FoundCookie<Content> | undefined {
    const { name } = this.attributes;
    if (cookieHeader?.includes(name) !== true) return undefined;
    const found = (parse(cookieHeader, this.#parsing) as CookieValues)[name];
    if (found === undefined) return undefined;
    const ambiguous = typeof found !== 'string';
    const text = ambiguous ? found.join() : found;
    const opened = ambiguous ? undefined : (this.#opened?.get(text) ?? this.#open(text));
    return opened === undefined || opened.endsAt <= now
      ? { text, content: undefined, outdated: false, ambiguous }
      : { text, content: opened.content, outdated: opened.outdated, ambiguous };
  }

  /** Returns the `Set-Cookie` value that removes the cookie: the same attributes, an expiry in the past. */
  expire(): string {
    return this.#serialize('', 0);
  }

  /**
   * Returns the `Set-Cookie` values that remove other cookies of this name that a browser may send to a target:
   * {@link otherVariants}.
   */
  expireOthers(target: CookieTarget): string[] {
    return otherVariants(this.attributes, target).map((variant) => this.#serialize('', 0, variant));
  }

  /**
   * Returns the `Set-Cookie` value that gives the fields to the client; without `maxAge` (ms) until the browser closes.
   */
  protected seal(stored: Stored, maxAge: number | undefined): string {
    const plaintext = Buffer.alloc(this.#plaintextLength);
    let at = 0;
    for (const [name, field] of this.#fields) {
      field.write(plaintext, at, stored[name]);
      at += field.bytes;
    }
    return this.#serialize(this.keys.seal(plaintext, this.#context), maxAge);
  }

  #open(text: string): OpenedValue<Content> | undefined {
    const seal = text.length === this.#sealedLength ? this.keys.open(text, this.#context) : undefined;
    if (seal === undefined) return undefined;
    const fields: Partial<Record<keyof Stored, unknown>> = {};
    let at = 0;
    for (const [name, field] of this.#fields) {
      fields[name] = field.read(seal.plaintext, at);
      at += field.bytes;
    }
    const stored = fields as Stored;
    const { contentOf, lifetime = Infinity } = this.format;
    const content = contentOf === undefined ? (fields as Content) : contentOf(stored);
    if (content === undefined) return undefined;
    const { sealedAt = 0, endsAt = Infinity } = stored;
    const opened = { content, outdated: seal.outdated, endsAt: Math.min(endsAt, sealedAt + lifetime) };
    this.#opened?.set(text, opened);
    return opened;
  }

  #serialize(value: string, maxAge: number | undefined, variant?: Partial<CookieAttributes>): string {
    const { name, path, domain, sameSite, secure, partitioned } = { ...this.attributes, ...variant };
    return serialize(name, value, {
      encode: String,
      httpOnly: true,
      path,
      domain,
      sameSite,
      secure,
      partitioned,
      ...(maxAge === undefined ? {} : { maxAge: Math.ceil(Math.min(maxAge, MAX_COOKIE_AGE) / 1000) }),
      ...(value === '' ? { expires: new Date(0) } : {}),
    });
  }
}

/** A name that the client sent several times has several values. */
type CookieValues = Readonly<Record<string, string | readonly string[] | undefined>>;

function only(name: string): (each: string) => boolean {
  return (each) => each === name;
}
