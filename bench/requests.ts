import { requestText, type Device } from './processes/contender-server.ts';

/** What is asked of a server. */
export type RequestKind = 'read' | 'act' | 'act-with-csrf' | 'forged' | 'login';

/** The status that each kind of request must be answered with. */
export const STATUS: Readonly<Record<RequestKind, number>> = {
  read: 200,
  act: 200,
  'act-with-csrf': 200,
  forged: 401,
  login: 201,
};

/** One request of each device. */
export function requestsOf(kind: RequestKind, devices: readonly Device[]): string[] {
  switch (kind) {
    case 'read':
      return devices.map((device) => requestText('GET', '/me', { device }));
    case 'forged':
      return devices.map(({ cookie }) => requestText('GET', '/me', { device: { cookie: forged(cookie) } }));
    case 'login':
      return devices.map((_, index) => requestText('POST', '/login', { body: { user: `login${index}` } }));
    default:
      return devices.map((device) => requestText('POST', `/${kind}`, { device }));
  }
}

/** The same cookie with one character of its ciphertext changed: it takes the whole way to find out. */
function forged(cookie: string): string {
  const at = cookie.indexOf('=') + 60;
  return cookie.slice(0, at) + (cookie[at] === 'A' ? 'B' : 'A') + cookie.slice(at + 1);
}
