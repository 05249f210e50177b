/** Who makes the browser send a request, and how. */
export interface JarRequest {
  readonly method?: string;
  /** The page that the request comes from; undefined: the user typed the address. */
  readonly from?: string;
  /** A navigation of the whole window, as by a link or a form; not an image, a frame or a script's request. */
  readonly navigation?: boolean;
}

interface StoredCookie {
  readonly name: string;
  readonly value: string;
  readonly domain: string;
  readonly hostOnly: boolean;
  readonly path: string;
  readonly secure: boolean;
  readonly httpOnly: boolean;
  readonly sameSite: 'strict' | 'lax' | 'none';
  /** Undefined: until the browser closes. */
  readonly endsAt: number | undefined;
  readonly order: number;
}

const SAFE = ['GET', 'HEAD', 'OPTIONS', 'TRACE'];
const MAX_AGE = 400 * 24 * 60 * 60;

/**
 * Keeps cookies by the rules of browsers (RFC 6265bis 5.6 to 5.8): prefixes, Secure, HttpOnly, Domain, Path, SameSite,
 * and which order cookies are sent in. Registrable domains are the last two labels; so no public suffix of two.
 */
export class CookieJar {
  #cookies: StoredCookie[] = [];
  #order = 0;

  /** Takes one `Set-Cookie` line of an answer from `url`; false: a browser refuses it. */
  set(url: string, line: string): boolean {
    return this.#take(new URL(url), line, true);
  }

  /** What `document.cookie = line` does on a page at `url`. */
  setByScript(url: string, line: string): boolean {
    return this.#take(new URL(url), line, false);
  }

  /** The `Cookie` header of a request to `url`; undefined: none. */
  header(url: string, { method = 'GET', from, navigation = from === undefined }: JarRequest = {}): string | undefined {
    const target = new URL(url);
    const isSameSite = from === undefined || siteOf(target) === siteOf(new URL(from));
    const sent = this.#matching(target).filter(({ sameSite }) => {
      if (isSameSite || sameSite === 'none') return true;
      return sameSite === 'lax' && navigation && SAFE.includes(method);
    });
    return sent.length === 0
      ? undefined
      : sent.map(({ name, value }) => (name ? `${name}=${value}` : value)).join('; ');
  }

  /** What `document.cookie` shows on a page at `url`. */
  readByScript(url: string): string {
    const shown = this.#matching(new URL(url)).filter(({ httpOnly }) => !httpOnly);
    return shown.map(({ name, value }) => `${name}=${value}`).join('; ');
  }

  /** Has what another jar has, cookies of one name only where that is given. */
  takeAll(other: CookieJar, name?: string): void {
    const taken = other.#cookies.filter((cookie) => name === undefined || cookie.name === name);
    const isTaken = (one: StoredCookie): boolean =>
      taken.some(({ name, domain, path }) => one.name === name && one.domain === domain && one.path === path);
    this.#cookies = [...this.#cookies.filter((one) => !isTaken(one)), ...taken];
  }

  /** Closes the browser: what has no end of its own is gone. */
  restart(): void {
    this.#cookies = this.#cookies.filter(({ endsAt }) => endsAt !== undefined);
  }

  #matching(url: URL): StoredCookie[] {
    return this.#cookies
      .filter((cookie) => {
        const isHost = cookie.hostOnly ? url.hostname === cookie.domain : domainMatches(url.hostname, cookie.domain);
        const isAlive = cookie.endsAt === undefined || cookie.endsAt > Date.now();
        return isHost && isAlive && pathMatches(url.pathname, cookie.path) && (!cookie.secure || isSecure(url));
      })
      .sort((a, b) => b.path.length - a.path.length || a.order - b.order);
  }

  #take(url: URL, line: string, overHttp: boolean): boolean {
    // a control character but the tab makes a browser drop the whole line
    // eslint-disable-next-line no-control-regex -- these are looked for
    if (/[\x00-\x08\x0a-\x1f\x7f]/.test(line)) return false;
    const [pair = '', ...parts] = line.split(';');
    const equals = pair.indexOf('=');
    const name = equals < 0 ? '' : trim(pair.slice(0, equals));
    const value = trim(pair.slice(equals + 1));
    if (name + value === '' || name.length + value.length > 4096) return false;
    const attributes = new Map<string, string>();
    for (const part of parts) {
      const at = part.indexOf('=');
      const key = trim(at < 0 ? part : part.slice(0, at)).toLowerCase();
      attributes.set(key, at < 0 ? '' : trim(part.slice(at + 1)));
    }
    const cookie = this.#cookieOf(url, name, value, attributes);
    if (cookie === undefined || !isAllowed(cookie, url, attributes, overHttp)) return false;
    const secureTwin = this.#cookies.some(
      (other) => other.secure && other.name === name && domainMatches(other.domain, cookie.domain),
    );
    if (secureTwin && !isSecure(url)) return false;
    const same = (other: StoredCookie): boolean =>
      other.name === name &&
      other.domain === cookie.domain &&
      other.hostOnly === cookie.hostOnly &&
      other.path === cookie.path;
    const old = this.#cookies.find(same);
    if (old?.httpOnly === true && !overHttp) return false;
    this.#cookies = this.#cookies.filter((other) => !same(other));
    const isOver = cookie.endsAt !== undefined && cookie.endsAt <= Date.now();
    if (!isOver) this.#cookies.push({ ...cookie, order: old?.order ?? cookie.order });
    return true;
  }

  #cookieOf(url: URL, name: string, value: string, attributes: Map<string, string>): StoredCookie | undefined {
    const asked = attributes.get('domain')?.replace(/^\./, '').toLowerCase() ?? '';
    // nobody sets a cookie for a whole top-level domain, nor for a host that it is not below
    if (asked !== '' && asked !== url.hostname && (!asked.includes('.') || !domainMatches(url.hostname, asked))) {
      return undefined;
    }
    const path = attributes.get('path') ?? '';
    const sameSite = attributes.get('samesite')?.toLowerCase();
    const age = attributes.get('max-age');
    const expires = attributes.get('expires');
    const endsAt =
      age !== undefined && /^-?\d+$/.test(age)
        ? Date.now() + Math.min(Number(age), MAX_AGE) * 1000
        : expires === undefined
          ? undefined
          : Date.parse(expires);
    return {
      name,
      value,
      domain: asked === '' ? url.hostname : asked,
      hostOnly: asked === '',
      path: path.startsWith('/') ? path : url.pathname.replace(/\/[^/]*$/, '') || '/',
      secure: attributes.has('secure'),
      httpOnly: attributes.has('httponly'),
      sameSite: sameSite === 'strict' || sameSite === 'none' ? sameSite : 'lax',
      endsAt,
      order: this.#order++,
    };
  }
}

function isAllowed(cookie: StoredCookie, url: URL, attributes: Map<string, string>, overHttp: boolean): boolean {
  const { name, value, secure, httpOnly, sameSite } = cookie;
  if (secure && !isSecure(url)) return false;
  if (httpOnly && !overHttp) return false;
  if (sameSite === 'none' && !secure) return false;
  // what has no name is sent as its value, which must not read as a cookie of a prefix
  if (name === '' && /^__(host|secure|http)-/i.test(value)) return false;
  if (/^__(secure|host)-/i.test(name) && !secure) return false;
  return !/^__host-/i.test(name) || (!attributes.has('domain') && attributes.get('path') === '/');
}

function trim(text: string): string {
  return text.replace(/^[ \t]+|[ \t]+$/g, '');
}

function isSecure(url: URL): boolean {
  return url.protocol === 'https:' || url.protocol === 'wss:';
}

function domainMatches(host: string, domain: string): boolean {
  return host === domain || (host.endsWith(`.${domain}`) && !/^[\d.]+$/.test(host));
}

function pathMatches(path: string, cookiePath: string): boolean {
  if (path === cookiePath) return true;
  return path.startsWith(cookiePath) && (cookiePath.endsWith('/') || path[cookiePath.length] === '/');
}

/** Scheme and registrable domain: two pages of one site may be of different origins. */
function siteOf({ protocol, hostname }: URL): string {
  return `${protocol}//${/^[\d.]+$/.test(hostname) ? hostname : hostname.split('.').slice(-2).join('.')}`;
}
