/** What is known of the client of a request. Untrusted: for lists, events and comparison, never for a decision alone. */
export interface ClientInfo {
  /** The client's address as the HTTP adapter sees it: behind a proxy, configure the adapter's trust. Cut at 64 characters. */
  readonly ip?: string;
  /** The `User-Agent` header, cut at 512 characters. */
  readonly userAgent?: string;
}
