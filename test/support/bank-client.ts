import { Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect, type IncomingHttpHeaders as Http2Headers } from 'node:http2';

/** An answer, read to its end. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** The `Set-Cookie` values, in order. */
  readonly setCookies: readonly string[];
  readonly text: string;
  /** The body as JSON; undefined when it is none. */
  readonly json: unknown;
}

/** One request to send. */
export interface Ask {
  /** Sent as JSON unless it is a string. */
  readonly body?: unknown;
  readonly headers?: Record<string, string | string[]>;
  /** Sent instead of the client's own cookies. */
  readonly cookie?: string;
  /** The CSRF token to send. Not given: a client asks for one where it needs one; `false`: none. */
  readonly csrf?: string | false;
  /** For logins: keep the device signed in. */
  readonly rememberMe?: boolean;
}

/** What a page of the bank needs to know of a session. */
export interface SessionAnswer {
  readonly id: string;
  readonly userId: string;
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly absoluteExpiresAt: string;
  readonly authenticatedAt: string;
}

export const SESSION_COOKIE = '__Host-session';
export const REMEMBER_COOKIE = '__Host-session-remember';
export const PRE_SESSION_COOKIE = '__Host-session-csrf';
export const DEVICE_COOKIE = '__Host-session-device';

const SAFE = ['GET', 'HEAD', 'OPTIONS'];

/**
 * Sends paths as they are, without the tidying up that `fetch` does; connections are its own.
 *
 * @param port or the path of a Unix socket
 */
export async function send(port: number | string, method: string, path: string, ask: Ask = {}): Promise<Answer> {
  const { body, headers } = messageOf(ask);
  return new Promise((resolve, reject) => {
    const agent = new Agent({ keepAlive: false });
    const target = typeof port === 'string' ? { socketPath: port } : { host: '127.0.0.1', port };
    const outgoing = httpRequest({ ...target, method, path, headers, agent }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        resolve(answerOf(response.statusCode ?? 0, response.headers, chunks));
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** As {@link send}, over HTTP/2 without TLS. */
export async function sendHttp2(port: number | string, method: string, path: string, ask: Ask = {}): Promise<Answer> {
  const { body, headers } = messageOf(ask);
  const session = connect(`http://127.0.0.1:${port}`);
  try {
    return await new Promise((resolve, reject) => {
      session.on('error', reject);
      const head = { ':method': method, ':path': path, ...headers };
      const stream = session.request(head, { endStream: body === undefined });
      const chunks: Buffer[] = [];
      let received: Http2Headers = {};
      stream.on('response', (answered) => (received = answered));
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('error', reject);
      stream.on('end', () => {
        const { ':status': status, ...rest } = received;
        resolve(answerOf(Number(status ?? 0), rest, chunks));
      });
      if (body !== undefined) stream.end(body);
    });
  } finally {
    session.close();
  }
}

/** What goes over the wire: as bytes, since Node would write the headers in the encoding of a text. */
function messageOf(ask: Ask): { readonly body?: Buffer; readonly headers: Record<string, string | string[]> } {
  const text = ask.body === undefined || typeof ask.body === 'string' ? ask.body : JSON.stringify(ask.body);
  const body = text === undefined ? undefined : Buffer.from(text);
  const headers = {
    ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(body.length) }),
    ...(ask.cookie === undefined ? {} : { cookie: ask.cookie }),
    ...(typeof ask.csrf === 'string' ? { 'x-csrf-token': ask.csrf } : {}),
    ...ask.headers,
  };
  return { body, headers };
}

function answerOf(status: number, headers: IncomingHttpHeaders, chunks: readonly Buffer[]): Answer {
  const text = Buffer.concat(chunks).toString();
  return { status, headers, setCookies: headers['set-cookie'] ?? [], text, json: parse(text) };
}

/** A customer at one device: keeps cookies as a browser does. */
export class BankClient {
  readonly cookies = new Map<string, string>();
  /** Sent with every request: what this device looks like. */
  readonly headers: Record<string, string> = {};

  /** @param port or the path of a Unix socket */
  constructor(
    public port: number | string,
    private readonly sendBy: typeof send = send,
  ) {}

  get cookie(): string {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  /** The sealed value of the session cookie. */
  get sealed(): string {
    return this.cookies.get(SESSION_COOKIE) ?? '';
  }

  async ask(method: string, path: string, ask: Ask = {}): Promise<Answer> {
    const csrf = ask.csrf ?? (SAFE.includes(method) ? false : await this.csrfToken(ask));
    const cookie = ask.cookie ?? (this.cookies.size > 0 ? this.cookie : undefined);
    const answer = await this.sendBy(this.port, method, path, {
      ...ask,
      headers: { ...this.headers, ...ask.headers },
      csrf,
      cookie,
    });
    for (const line of answer.setCookies) this.#keep(line);
    return answer;
  }

  /** A fresh CSRF token, as the bank's pages get it. Keeps the pre-session cookie that may come with it. */
  async csrfToken({ cookie }: Pick<Ask, 'cookie'> = {}): Promise<string> {
    const answer = await this.get('/auth/csrf', { cookie });
    if (answer.status !== 200) throw new Error(`GET /auth/csrf answered ${answer.status}: ${answer.text}`);
    return (answer.json as { csrfToken: string }).csrfToken;
  }

  get(path: string, ask?: Ask): Promise<Answer> {
    return this.ask('GET', path, ask);
  }

  post(path: string, body?: unknown, ask?: Ask): Promise<Answer> {
    return this.ask('POST', path, { ...ask, body });
  }

  /** Logs in as one of the demo's users; fails the test when that fails. */
  async login(name: string, ask?: Ask): Promise<SessionAnswer> {
    const answer = await this.tryLogin(name, ask);
    if (answer.status !== 200) throw new Error(`login as ${name} answered ${answer.status}: ${answer.text}`);
    return (answer.json as { session: SessionAnswer }).session;
  }

  tryLogin(name: string, ask?: Ask): Promise<Answer> {
    const { rememberMe } = ask ?? {};
    const credentials = { email: `${name}@example.com`, password: `${name}-demo-password`, rememberMe };
    return this.post('/auth/login', credentials, ask);
  }

  /** Closes the browser and opens it again: what is kept until then is gone. */
  restart(): void {
    for (const name of this.cookies.keys())
      if (name !== REMEMBER_COOKIE && name !== DEVICE_COOKIE) this.cookies.delete(name);
  }

  /** Whether the client is signed in, by a guarded route. */
  async isSignedIn(ask?: Ask): Promise<boolean> {
    const { status } = await this.get('/api/me', ask);
    if (status !== 200 && status !== 401) throw new Error(`GET /api/me answered ${status}`);
    return status === 200;
  }

  #keep(line: string): void {
    const [pair = '', ...attributes] = line.split(';');
    const equals = pair.indexOf('=');
    const name = pair.slice(0, equals).trim();
    const isOver = attributes.some((attribute) => /^\s*max-age=(0|-\d+)\s*$/i.test(attribute));
    if (isOver) this.cookies.delete(name);
    else this.cookies.set(name, pair.slice(equals + 1).trim());
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
