/** What is known of the client of a request. Untrusted: for lists, events and comparison, never for a decision alone. */
export interface ClientInfo {
  /** The client's address as the HTTP adapter sees it: behind a proxy, configure the adapter's trust. */
  readonly ip?: string;
  /** The `User-Agent` header, cut at 512 characters. */
  readonly userAgent?: string;
}
