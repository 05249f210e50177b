/** Protection against requests that other sites make a browser send. */
export interface CsrfOptions {
  /** The header that a script sends the token in. @default 'x-csrf-token' */
  readonly header?: string;
  /** The field that a form sends the token in, read when the header is absent. @default 'csrf_token' */
  readonly field?: string;
  /**
   * The HTTP verbs that are protected, in capitals; all others are open then.
   *
   * @default all but GET, HEAD and OPTIONS, unknown verbs included
   */
  readonly methods?: readonly string[];
  /**
   * Other origins whose pages may send requests here: `https://shop.example`, or `https://*.bank.example` for
   * everything below a name (not the name itself). Scheme and port count; without a scheme `https` is meant. Their
   * requests need a token like all others.
   *
   * @default none
   */
  readonly trustedOrigins?: readonly string[];
  /**
   * The origin or origins that browsers reach the application at, such as `https://bank.example`. Set it wherever a
   * proxy stands in front: what the proxy makes of scheme and `Host` does not matter then.
   *
   * @default the request's protocol, by the adapter's own trust of proxies, and its `Host` header
   */
  readonly publicOrigin?: string | readonly string[];
  /** Protect every handler unless it is `@CsrfExempt()`. @default false: those that are `@CsrfProtected()` */
  readonly global?: boolean;
}
