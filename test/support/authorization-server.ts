import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

interface Grant {
  readonly challenge: string | null;
  readonly redirectUri: string | null;
  readonly user: string;
}

/**
 * A provider of OAuth 2.0 on this machine: the authorization endpoint answers at once for whoever is said to be signed
 * in there, codes are good once, and a code that was asked for with PKCE is redeemed by its verifier only (RFC 7636).
 */
export class AuthorizationServer {
  readonly #codes = new Map<string, Grant>();
  readonly #tokens = new Map<string, string>();
  /** Who is signed in at the provider. */
  user = 'alice';
  /** What was asked of the token endpoint. */
  readonly redeemed: URLSearchParams[] = [];

  private constructor(private readonly server: Server) {}

  static async start(): Promise<AuthorizationServer> {
    const server = createServer((request, response) => {
      void provider.#answer(request).then(({ status = 200, location, json }) => {
        response.writeHead(status, { 'content-type': 'application/json', ...(location && { location }) });
        response.end(JSON.stringify(json));
      });
    });
    const provider = new AuthorizationServer(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return provider;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Does what a browser does that was sent to the provider: returns where it is sent back to. */
  async visit(location: string): Promise<string> {
    const response = await fetch(location, { redirect: 'manual' });
    const back = response.headers.get('location');
    if (back === null) throw new Error(`the provider answered ${response.status} to ${location}`);
    const { pathname, search } = new URL(back);
    return pathname + search;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  async #answer(request: IncomingMessage): Promise<{ status?: number; location?: string; json?: unknown }> {
    const url = new URL(request.url ?? '/', this.origin);
    if (url.pathname === '/authorize') return this.#authorize(url.searchParams);
    if (url.pathname === '/token') return this.#redeem(new URLSearchParams(await text(request)));
    if (url.pathname !== '/profile') return { status: 404 };
    const token = request.headers.authorization?.replace(/^Bearer /, '') ?? url.searchParams.get('access_token') ?? '';
    const user = this.#tokens.get(token);
    return user === undefined ? { status: 401 } : { json: { id: user, login: user } };
  }

  #authorize(asked: URLSearchParams): { status: number; location?: string } {
    const redirectUri = asked.get('redirect_uri');
    if (redirectUri === null || asked.get('client_id') !== 'the-client') return { status: 400 };
    const isPlain = asked.has('code_challenge') && asked.get('code_challenge_method') !== 'S256';
    if (isPlain) return { status: 400 };
    const code = randomBytes(12).toString('hex');
    this.#codes.set(code, { challenge: asked.get('code_challenge'), redirectUri, user: this.user });
    const back = new URL(redirectUri);
    back.searchParams.set('code', code);
    if (asked.has('state')) back.searchParams.set('state', asked.get('state')!);
    return { status: 302, location: back.href };
  }

  #redeem(asked: URLSearchParams): { status?: number; json: unknown } {
    this.redeemed.push(asked);
    const code = asked.get('code') ?? '';
    const grant = this.#codes.get(code);
    this.#codes.delete(code);
    const verifier = asked.get('code_verifier') ?? '';
    const isProved =
      grant?.challenge === null || createHash('sha256').update(verifier).digest('base64url') === grant?.challenge;
    if (grant === undefined || !isProved || asked.get('redirect_uri') !== grant.redirectUri) {
      return { status: 400, json: { error: 'invalid_grant' } };
    }
    const token = randomBytes(12).toString('hex');
    this.#tokens.set(token, grant.user);
    return { json: { access_token: token, token_type: 'Bearer' } };
  }
}
