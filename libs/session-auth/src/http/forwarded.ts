import type { AdapterRequest } from './adapter.js';

/** A host that no client asks for. */
const PROBE = 'probe.invalid';

/**
 * The first entry of a header that the proxy next to the client wrote; undefined where the adapter does not trust the
 * peer of the connection.
 */
export function forwarded(request: AdapterRequest, name: 'x-forwarded-host' | 'x-forwarded-proto'): string | undefined {
  const list = request.headers[name];
  if (list === undefined || !isPeerTrusted(request)) return undefined;
  return String(list).split(',', 1)[0]!.trim() || undefined;
}

/**
 * Whether the adapter believes the peer of the connection, by its own setting. No adapter tells that, so it is asked
 * for the host of the same request with a header that it believes of a trusted peer only.
 */
function isPeerTrusted(request: AdapterRequest): boolean {
  const headers = { value: { 'x-forwarded-host': PROBE } };
  return (Object.create(request, { headers }) as AdapterRequest).host === PROBE;
}
