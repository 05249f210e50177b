import type { IncomingHttpHeaders } from 'node:http';

const FORWARDED = ['cookie', 'user-agent', 'accept-language', 'accept-encoding'];

/** The browser's headers that a rendering server must forward, so that the session is bound to the browser. */
export function forwardedHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(
    FORWARDED.flatMap((name) => {
      const value = headers[name];
      return typeof value === 'string' ? [[name, value]] : [];
    }),
  );
}
