import 'reflect-metadata';
import { Redis } from 'ioredis';
import { startLocalRedis } from '../src/local-services/local-redis.ts';
import { Coverage, lineOf, type Path } from './path/coverage.ts';
import { CREDENTIALS, openPathServer } from './path/path-server.ts';
import { BROWSER_HEADERS, cookiesOf } from './processes/contender-server.ts';

/*
 * How much of the library a request runs through: the files and named functions of its build that one request executes
 * when the process is warm, by V8's precise coverage. Real requests over HTTP on Fastify, sessions in Redis, one guard
 * and `@CurrentSession()`. It is a count: other users of the machine do not change it.
 *
 *   npm run bench:path               one line a request
 *   npm run bench:path -- --list     … and below it each file with its functions by name
 */
const LIBRARY = new URL('./', import.meta.resolve('nestjs-session-auth'));
const WARM_UP = 300;

const wanted = process.argv.slice(2);
const unknown = wanted.find((word) => word !== '--list');
if (unknown !== undefined) throw new Error(`unknown: ${unknown}; known is --list`);

interface Sent {
  readonly cookie?: string;
  readonly csrfToken?: string;
  readonly body?: object;
}

/** What a client has after a request: the cookies that it was given, and what else the response said. */
interface Received {
  readonly cookie: string;
  readonly csrfToken: string;
}

async function main(): Promise<void> {
  const server = await startLocalRedis();
  const redis = new Redis(server.url);
  const app = await openPathServer(redis);
  try {
    await app.listen(0, '127.0.0.1');
    const url = await app.getUrl();
    const request = (method: 'GET' | 'POST', path: string, sent?: Sent): Promise<Received> =>
      send(method, new URL(path, url), sent);

    // each login is that of a browser of its own: a second one by the same form would share the session of the first
    let form = { cookie: '', csrfToken: '' };
    const openForm = async (): Promise<void> => void (form = await request('GET', '/auth/csrf'));
    const login = (): Promise<Received> => request('POST', '/auth/login', { ...form, body: CREDENTIALS });
    const coverage = await Coverage.start(LIBRARY);
    const loginPath = await coverage.pathOf(login, WARM_UP, openForm);
    // a login ends the oldest session of the user at the limit of three: this one stays
    await openForm();
    const { cookie, csrfToken } = await login();
    print('guarded GET', await coverage.pathOf(() => request('GET', '/me', { cookie }), WARM_UP));
    print('login', loginPath);
    const act = (): Promise<Received> => request('POST', '/act', { cookie, csrfToken, body: {} });
    print('CSRF-protected POST', await coverage.pathOf(act, WARM_UP));
    coverage.stop();
  } finally {
    await app.close();
    redis.disconnect();
    await server.stop();
  }
}

async function send(method: 'GET' | 'POST', url: URL, { cookie, csrfToken, body }: Sent = {}): Promise<Received> {
  const response = await fetch(url, {
    method,
    headers: {
      ...BROWSER_HEADERS,
      ...(cookie !== undefined && { cookie }),
      ...(csrfToken !== undefined && { 'x-csrf-token': csrfToken }),
      ...(body && { 'content-type': 'application/json', origin: url.origin }),
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${url.pathname} was answered ${response.status}: ${text}`);
  const { csrfToken: given = '' } = JSON.parse(text) as { csrfToken?: string };
  return { cookie: cookiesOf(response), csrfToken: given };
}

function print(request: string, path: Path): void {
  process.stdout.write(`${lineOf(request, path)}\n`);
  if (!wanted.includes('--list')) return;
  for (const [file, names] of path) process.stdout.write(`  ${file}: ${names.join(', ') || '(anonymous only)'}\n`);
}

await main();
