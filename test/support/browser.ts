import type { Answer, Ask } from './bank-client.js';
import type { Bank } from './bank.js';
import { CookieJar, type JarRequest } from './cookie-jar.js';

/** How a {@link Browser} sends a request: by which page, and what else than cookies goes along. */
export interface Visit extends JarRequest, Omit<Ask, 'cookie'> {}

/**
 * A browser as far as it matters to sessions: it keeps cookies by the browsers' rules, and says where its requests come
 * from. Every host name leads to the one server.
 */
export class Browser {
  readonly jar = new CookieJar();

  constructor(private readonly server: Pick<Bank, 'send'>) {}

  async visit(url: string, visit: Visit = {}): Promise<Answer> {
    const { pathname, search } = new URL(url);
    const { method = 'GET' } = visit;
    const answer = await this.server.send(method, pathname + search, {
      ...visit,
      headers: { host: new URL(url).host, ...originHeaders(url, visit), ...visit.headers },
      cookie: this.jar.header(url, visit),
    });
    for (const line of answer.setCookies) this.jar.set(url, line);
    return answer;
  }

  /** Asks for a token and logs in, as the login page of the application does. */
  async login(site: string, name: string, rememberMe = false): Promise<Answer> {
    const csrf = await this.csrfToken(site);
    const body = { email: `${name}@example.com`, password: `${name}-demo-password`, rememberMe };
    return this.visit(`${site}/auth/login`, { method: 'POST', from: site, csrf, body });
  }

  async csrfToken(site: string): Promise<string> {
    const { json } = await this.visit(`${site}/auth/csrf`, { from: site });
    return (json as { csrfToken: string }).csrfToken;
  }

  /** Who the application's own pages see as signed in. */
  async user(site: string): Promise<string | undefined> {
    const { json } = await this.visit(`${site}/api/me`, { from: site });
    return (json as { userId?: string }).userId;
  }
}

function originHeaders(url: string, { method = 'GET', from, navigation }: Visit): Record<string, string> {
  if (from === undefined) return { 'sec-fetch-site': 'none' };
  const [here, there] = [new URL(from), new URL(url)];
  const site = (each: URL): string => `${each.protocol}//${each.hostname.split('.').slice(-2).join('.')}`;
  return {
    'sec-fetch-site':
      here.origin === there.origin ? 'same-origin' : site(here) === site(there) ? 'same-site' : 'cross-site',
    'sec-fetch-mode': navigation === true ? 'navigate' : 'no-cors',
    ...(method === 'GET' ? {} : { origin: here.origin }),
  };
}
