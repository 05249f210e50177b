import type { IncomingHttpHeaders } from 'node:http';

/**
 * What happens to a request whose client no longer looks like the one that logged in: `destroy` ends the session
 * (401), `reject` refuses the request and lets the session live (401), `report` only publishes the event.
 */
export type FingerprintPolicy = 'destroy' | 'reject' | 'report';

/** What a signal of the application's own is read from. */
export interface FingerprintRequest {
  readonly headers: IncomingHttpHeaders;
  /** By the adapter's own trust of proxies. */
  readonly ip?: string;
  readonly method: string;
}

/** A request header as a signal. */
export interface FingerprintHeaderOptions {
  /** The header's name. */
  readonly name: string;
  /**
   * `'exact'`, `'ignore-versions'` (digits count for nothing, so a browser's update is no other browser), or a
   * function that answers what is to be compared.
   *
   * @default 'exact'
   */
  readonly compare?: 'exact' | 'ignore-versions' | ((value: string) => string);
  /** @default the `onMismatch` of the whole */
  readonly onMismatch?: FingerprintPolicy;
  /**
   * Compare it on every request, also on those in which browsers are known to send another value.
   *
   * @default false
   */
  readonly always?: boolean;
}

/** A signal of the application's own, such as the country of the address. */
export interface FingerprintCustomOptions {
  /** Answers what is to be compared; undefined where nothing is known, which is never a mismatch. */
  readonly read: (request: FingerprintRequest) => string | undefined;
  /** @default the `onMismatch` of the whole */
  readonly onMismatch?: FingerprintPolicy;
}

/**
 * Which traits of the client a session is bound to. A hurdle, not a wall: whoever steals a cookie together with the
 * request it came in can send the same headers.
 */
export interface FingerprintOptions {
  /** @default ['user-agent', 'accept-language', 'accept-encoding'] */
  readonly headers?: readonly (string | FingerprintHeaderOptions)[];
  /** @default none */
  readonly custom?: FingerprintCustomOptions['read'] | FingerprintCustomOptions;
  /** @default 'destroy' */
  readonly onMismatch?: FingerprintPolicy;
}
