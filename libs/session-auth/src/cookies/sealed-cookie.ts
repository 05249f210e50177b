import { parse, serialize, type CookieParseOptions } from 'cookie-es';
import { KeyRing, type OpenedSeal } from '../crypto/key-ring.js';
import { MAX_COOKIE_AGE, type CookieAttributes } from './cookie.options.js';

/**
 * A cookie of ours: a plaintext of one fixed length under AES-256-GCM, bound to its purpose and name. Whatever is not
 * exactly such a value is refused, all kinds alike.
 */
export class SealedCookie {
  readonly #context: string;
  readonly #sealedLength: number;
  readonly #parsing: CookieParseOptions & { readonly allowMultiple: true };

  constructor(
    private readonly keys: KeyRing,
    purpose: string,
    private readonly attributes: CookieAttributes,
    plaintextBytes: number,
  ) {
    this.#context = `${purpose}:${attributes.name}`;
    this.#sealedLength = KeyRing.sealedLength(plaintextBytes);
    this.#parsing = { filter: (key: string) => key === attributes.name, decode: asIs, allowMultiple: true };
  }

  get name(): string {
    return this.attributes.name;
  }

  /**
   * What the cookie of a `Cookie` header holds; undefined when there is none or it is refused: of wrong length, not
   * sealed by us, moved from another name, or ambiguous because the name occurs twice.
   */
  open(cookieHeader: string | undefined): OpenedSeal | undefined {
    const text = this.textIn(cookieHeader);
    return text === undefined ? undefined : this.openText(text);
  }

  /** What the text of a cookie holds; undefined when it was not sealed by us for this cookie. */
  openText(text: string): OpenedSeal | undefined {
    return text.length === this.#sealedLength ? this.keys.open(text, this.#context) : undefined;
  }

  /** Whether a `Cookie` header has a cookie of this name, genuine or not. */
  isIn(cookieHeader: string | undefined): boolean {
    return this.textIn(cookieHeader) !== undefined;
  }

  /** What a `Cookie` header has under this name, genuine or not; several of them joined, which no genuine one is. */
  textIn(cookieHeader: string | undefined): string | undefined {
    const { name } = this;
    if (cookieHeader === undefined || !cookieHeader.includes(name)) return undefined;
    const value = parse(cookieHeader, this.#parsing)[name];
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
