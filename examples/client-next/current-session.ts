import { headers } from 'next/headers';
import type { SessionView } from 'nestjs-session-auth/client';

const NEST = process.env['NEST_ORIGIN'] ?? 'http://localhost:3001';

/** The session cookie, and the headers that the session is bound to. */
const PASSED_ON = ['cookie', 'user-agent', 'accept-language', 'accept-encoding'];

/** Who is signed in, for a component that is rendered on the server; undefined: nobody. */
export async function currentSession(): Promise<SessionView | undefined> {
  const given = await headers();
  // a server component can set no cookie, so the request must not be one that gets a new token
  const passed = new Headers({ 'x-session-passive': '1' });
  for (const name of PASSED_ON) {
    const value = given.get(name);
    if (value !== null) passed.set(name, value);
  }
  const response = await fetch(`${NEST}/auth/session`, { headers: passed, cache: 'no-store' });
  if (response.status === 401) return undefined;
  if (!response.ok) throw new Error(`the session cannot be asked for: ${response.status}`);
  return (await response.json()) as SessionView;
}
