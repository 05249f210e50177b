import { parse, serialize } from 'cookie-es';
import { KeyRing, type OpenedSeal } from '../crypto/key-ring.js';
import { MAX_COOKIE_AGE, type CookieAttributes } from './cookie-attributes.js';

/**
 * A cookie of ours: a plaintext of one fixed length under AES-256-GCM, bound to its purpose and name. Whatever is not
 * exactly such a value is refused, all kinds alike.
 */
export class SealedCookie {
  readonly #context: string;
  readonly #sealedLength: number;

  constructor(
    private readonly keys: KeyRing,
    purpose: string,
    private readonly attributes: CookieAttributes,
    plaintextBytes: number,
  ) {
    this.#context = `${purpose}:${attributes.name}`;
    this.#sealedLength = KeyRing.sealedLength(plaintextBytes);
  }

  get name(): string {
    return this.attributes.name;
  }

  /**
   * What the cookie of a `Cookie` header holds; undefined when there is none or it is refused: of wrong length, not
   * sealed by us, moved from another name, or ambiguous because the name occurs twice.
   */
  open(cookieHeader: string | undefined): OpenedSeal | undefined {
    const value = this.valueIn(cookieHeader);
    return value === undefined ? undefined : this.openValue(value);
  }

  /** The value of the cookie in a `Cookie` header, if it is there once and has the length of a genuine one. */
  valueIn(cookieHeader: string | undefined): string | undefined {
    const value = this.#find(cookieHeader);
    return typeof value === 'string' && value.length === this.#sealedLength ? value : undefined;
  }

  /** What a value holds; undefined when it was not sealed by us for this cookie. */
  openValue(value: string): OpenedSeal | undefined {
    return this.keys.open(value, this.#context);
  }

  /** Whether a `Cookie` header has a cookie of this name, genuine or not. */
  isIn(cookieHeader: string | undefined): boolean {
    return this.textIn(cookieHeader) !== undefined;
  }

  /** What a `Cookie` header has under this name, genuine or not; several of them joined. */
  textIn(cookieHeader: string | undefined): string | undefined {
    const value = this.#find(cookieHeader);
    return typeof value === 'object' ? value.join() : value;
  }

  /** The `Set-Cookie` value that hands a plaintext to the client; without `maxAge` (ms) until the browser closes. */
  seal(plaintext: Uint8Array, maxAge: number | undefined): string {
    return this.#serialize(this.keys.seal(plaintext, this.#context), maxAge);
  }

  /** The `Set-Cookie` value that removes the cookie: same attributes, an end in the past. */
  expire(): string {
    return this.#serialize('', 0);
  }

  #find(cookieHeader: string | undefined): string | readonly string[] | undefined {
    const { name } = this;
    if (cookieHeader === undefined || !cookieHeader.includes(name)) return undefined;
    return parse(cookieHeader, { filter: (key) => key === name, decode: asIs, allowMultiple: true })[name];
  }

  #serialize(value: string, maxAge: number | undefined): string {
    const { name, path, domain, sameSite, secure, partitioned } = this.attributes;
    return serialize(name, value, {
      encode: asIs,
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

function asIs(value: string): string {
  return value;
}
