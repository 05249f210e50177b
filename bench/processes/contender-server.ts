import { USER_AGENT } from '../servers/session-payload.ts';
import type { ServerSpec, StoreAddresses } from '../servers/server-spec.ts';
import { Child } from './child.ts';

/** A device that has logged in: what its requests carry. */
export interface Device {
  readonly cookie: string;
  readonly csrfToken?: string;
}

/** What a browser's script sends along. */
export const BROWSER_HEADERS = {
  'user-agent': USER_AGENT,
  accept: 'application/json, text/plain, */*',
  'accept-language': 'en-GB,en;q=0.9,de;q=0.8',
  'accept-encoding': 'gzip, deflate, br, zstd',
  'sec-fetch-site': 'same-origin',
  'sec-fetch-mode': 'cors',
  'sec-fetch-dest': 'empty',
};

/** A running server process of one contender. */
export class ContenderServer {
  private constructor(
    readonly port: number,
    private readonly child: Child,
  ) {}

  static async start(spec: ServerSpec, addresses: StoreAddresses): Promise<ContenderServer> {
    const entry = new URL('server.js', spec.build?.servers ?? new URL('../servers/', import.meta.url));
    const child = Child.start(entry, [JSON.stringify({ spec, addresses })], 'server');
    const { port } = await child.next<{ port: number }>();
    return new ContenderServer(port, child);
  }

  /** Microseconds of CPU that the process has used. */
  async cpu(): Promise<number> {
    const { user, system } = await this.child.ask<NodeJS.CpuUsage>({ ask: 'cpu' });
    return user + system;
  }

  /** Logs a user in over HTTP. */
  async login(user: string): Promise<Device> {
    const response = await fetch(`http://127.0.0.1:${this.port}/login`, {
      method: 'POST',
      headers: { ...BROWSER_HEADERS, 'content-type': 'application/json' },
      body: JSON.stringify({ user }),
    });
    if (!response.ok) throw new Error(`a login was answered ${response.status}: ${await response.text()}`);
    const { csrfToken } = (await response.json()) as { csrfToken?: string };
    return { cookie: cookiesOf(response), csrfToken };
  }

  stop(): Promise<void> {
    return this.child.stop();
  }
}

/** The cookies that a response sets, without those that it clears, as a `Cookie` header sends them. */
export function cookiesOf(response: Response): string {
  return response.headers
    .getSetCookie()
    .map((line) => line.split(';')[0]!)
    .filter((pair) => !pair.endsWith('='))
    .join('; ');
}

/** The text of a request as a browser's script would send it. */
export function requestText(
  method: 'GET' | 'POST',
  path: string,
  { device, body }: { readonly device?: Device; readonly body?: object } = {},
): string {
  const json = body === undefined ? '' : JSON.stringify(body);
  const headers: Record<string, string> = {
    host: 'localhost',
    ...BROWSER_HEADERS,
    ...(device && { cookie: device.cookie }),
    ...(device?.csrfToken !== undefined && method === 'POST' && { 'x-csrf-token': device.csrfToken }),
    ...(method === 'POST' && { origin: 'http://localhost', 'content-length': String(json.length) }),
    ...(body && { 'content-type': 'application/json' }),
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${json}`;
}
