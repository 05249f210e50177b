import type { AdapterRequest } from './adapter.js';

/** A host that no client requests. */
const PROBE = 'probe.invalid';

/**
 * Returns the first entry of a header that the proxy next to the client wrote; undefined if the adapter does not trust
 * the peer of the connection.
 */
export function forwarded(request: AdapterRequest, name: 'x-forwarded-host' | 'x-forwarded-proto'): string | undefined {
  const list = request.headers[name];
  if (list === undefined || !isPeerTrusted(request)) return undefined;
  return String(list).split(',', 1)[0]!.trim() || undefined;
}

/**
 * Whether the adapter's settings trust the peer of the connection. No adapter exposes this. So this reads the host of
 * the same request with an added header that the adapter believes only from a trusted peer.
 */
function isPeerTrusted(request: AdapterRequest): boolean {
  const headers = { value: { 'x-forwarded-host': PROBE } };
  return (Object.create(request, { headers }) as AdapterRequest).host === PROBE;
}
