import type { IncomingHttpHeaders } from 'node:http';

const FORWARDED = ['cookie', 'user-agent', 'accept-language', 'accept-encoding'];

/** What a server that renders for a browser sends on of the browser's request, so that the session is the browser's. */
export function forwardedHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(
    FORWARDED.flatMap((name) => {
      const value = headers[name];
      return typeof value === 'string' ? [[name, value]] : [];
    }),
  );
}
