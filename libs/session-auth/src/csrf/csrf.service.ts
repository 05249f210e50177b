import { Inject, Injectable } from '@nestjs/common';
import { KeyRing } from '../crypto/key-ring.js';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { SessionEventPublisher } from '../events/event-publisher.js';
import type { CsrfRejection } from '../events/session-event.js';
import type { HttpExchange } from '../http/http-exchange.js';
import { beginningOf, LruCache } from '../cache/lru-cache.js';
import type { RequestSession } from '../http/request-session.js';
import { RequestSessionFactory } from '../http/request-session-factory.js';
import type { CsrfProtection } from './csrf-metadata.js';
import { CSRF_SETTINGS, type CsrfSettings } from './csrf.options.js';
import { CSRF_TOKEN_LENGTH, CsrfKey, isCsrfToken, issueCsrfToken, type CsrfBinding } from './csrf-token.js';
import { isOwnButHidden, judgeOrigin, parseOwnOrigin } from './request-origin.js';

const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

const MAX_LOGGED_ORIGIN = 200;

/** For requests from the application's own pages: browsers send the same few origins all the time. */
const REMEMBERED_ORIGINS = 64;
const LONGEST_ORIGIN = 1024;

/** Valid tokens with their bindings: a page sends the same one until it is reloaded. */
const REMEMBERED_TOKENS = 4096;

/** Where the request came from, once its origin is accepted. */
interface AskedFrom {
  readonly protocol: string | undefined;
  readonly host: HeaderValue;
  readonly secFetchSite: HeaderValue;
}

type HeaderValue = HttpExchange['headers'][string];

/**
 * Issues and verifies CSRF tokens (ASVS 3.5.1). They are bound to the session's token, and before login to a
 * pre-session cookie. So they become invalid with it: at login, logout, re-authentication and every rotation. Nothing
 * is stored, and no method uses the session store.
 *
 * Each method takes the request of the handler (`@Req()`), of Express or Fastify.
 */
@Injectable()
export class CsrfService {
  readonly #keys: readonly CsrfKey[];
  readonly #knownOrigins = new LruCache<AskedFrom>(REMEMBERED_ORIGINS, LONGEST_ORIGIN);
  readonly #knownTokens = new LruCache<CsrfBinding>(REMEMBERED_TOKENS, CSRF_TOKEN_LENGTH);

  constructor(
    keys: KeyRing,
    @Inject(CSRF_SETTINGS) private readonly settings: CsrfSettings,
    private readonly events: SessionEventPublisher,
    private readonly requestSessions: RequestSessionFactory,
  ) {
    this.#keys = keys.deriveKeys('csrf').map((key) => new CsrfKey(key));
  }

  /** The header that the token is sent in, in lower case. */
  get headerName(): string {
    return this.settings.header;
  }

  /** The form field that the token is sent in. */
  get fieldName(): string {
    return this.settings.field;
  }

  /**
   * Returns a token for the client of this request, with fresh text in every response. It is bound to the session that
   * the client has after this response, or to its pre-session, whose cookie is set if it is missing. No cache stores
   * the response.
   */
  issue(request: object): string {
    const requestSession = this.requestSessions.get(request);
    if (!requestSession.exchange.headersSent) {
      requestSession.exchange.vary('Cookie');
      requestSession.exchange.forbidStore();
    }
    const { token } = requestSession;
    return issueCsrfToken(
      this.#keys[0]!,
      token === undefined
        ? { kind: 'pre-session', secret: requestSession.responseCookies.ensurePreSession() }
        : { kind: 'session', secret: token },
    );
  }

  /**
   * Returns the hidden input of a server-rendered form: `<input type="hidden" name="csrf_token" value="…">`. Trusted
   * HTML.
   *
   * Browsers send `Origin: null` with a form of a page whose `Referrer-Policy` is `no-referrer` (helmet's default). It
   * passes if the browser also sends `Sec-Fetch-Site: same-origin`. Browsers that do not (Safari before 16.4, and all
   * over plain HTTP) need pages with `same-origin` or `strict-origin-when-cross-origin`.
   */
  formField(request: object): string {
    return `<input type="hidden" name="${escapeHtml(this.fieldName)}" value="${this.issue(request)}">`;
  }

  /**
   * Whether a request comes from the application's own pages: by its headers and its token, for every verb. For code
   * that decides for itself; {@link CsrfGuard} does it for handlers.
   */
  verify(request: object): boolean {
    return this.#judge(this.requestSessions.get(request), {}) === undefined;
  }

  /**
   * Refuses a request that does not come from the application's own pages.
   *
   * @throws SessionAuthError `csrf_failed`, the same for every reason; the reason is in the event `csrf.rejected`
   * @internal
   */
  guard(requestSession: RequestSession, protection: CsrfProtection = {}): void {
    const reason = this.#judge(requestSession, protection);
    if (reason !== undefined) this.#reject(requestSession.exchange, reason);
  }

  /**
   * Whether a request has an unsafe verb.
   * @internal
   */
  isProtected({ exchange }: RequestSession, protection: CsrfProtection = {}): boolean {
    const methods = protection.methods ?? this.settings.methods;
    const { method, overriddenMethod = method } = exchange;
    return isProtectedMethod(method, methods) || isProtectedMethod(overriddenMethod, methods);
  }

  /**
   * Refuses a request by which a page of another origin embeds or fetches the response.
   *
   * @throws SessionAuthError `csrf_failed`, the same for every reason; the reason is in the event `csrf.rejected`
   * @internal
   */
  guardEmbedding({ exchange }: RequestSession): void {
    if (!exchange.headersSent) {
      exchange.vary('Origin', 'Sec-Fetch-Site', 'Sec-Fetch-Mode', 'Sec-Fetch-Dest');
      exchange.setHeader('cross-origin-resource-policy', 'same-origin');
    }
    if (isNavigation(exchange)) return;
    // without a Referer: if the browser sends nothing else, the request may come from a link
    const reason = this.#judgeOrigin(exchange, undefined);
    if (reason !== undefined) this.#reject(exchange, reason);
  }

  /**
   * Refuses a request by which a page of another origin opens a connection: such a request has the visitor's cookies
   * but no token.
   *
   * @throws SessionAuthError `csrf_failed`, the same for every reason; the reason is in the event `csrf.rejected`
   * @internal
   */
  guardOpening(exchange: HttpExchange): void {
    const reason = this.#judgeOrigin(exchange, exchange.headers.referer);
    if (reason !== undefined) this.#reject(exchange, reason);
  }

  #reject(exchange: HttpExchange, reason: CsrfRejection): never {
    const origin = exchange.headers.origin;
    this.events.publish({
      type: 'csrf.rejected',
      reason,
      method: exchange.method,
      origin: typeof origin === 'string' ? beginningOf(origin, MAX_LOGGED_ORIGIN) : undefined,
      client: exchange.client,
    });
    throw new SessionAuthError('csrf_failed', 'the request could not be verified; reload the page and try again');
  }

  #judge(requestSession: RequestSession, { withoutSession = 'token' }: CsrfProtection): CsrfRejection | undefined {
    const { exchange } = requestSession;
    if (!exchange.headersSent) exchange.vary('Cookie', 'Origin', 'Sec-Fetch-Site');
    const foreign = this.#judgeOrigin(exchange, exchange.headers.referer);
    if (foreign !== undefined && !isOwnButHidden(exchange.headers)) return foreign;
    if (withoutSession === 'headers' && !isAuthenticating(requestSession)) return undefined;
    const given = this.#givenToken(exchange);
    if (given === undefined) return 'no_token';
    // bound to the session of the request's cookie: an earlier guard may have replaced the token
    const binding = bindingOf(requestSession);
    if (binding === undefined) return 'no_cookie';
    if (!this.#isGood(given, binding)) return 'wrong_token';
    // somebody else may have set the pre-session cookie, so its token must not act for the user of a remember-me
    // cookie, whether a guard reads the session before this or after
    if (binding.kind === 'pre-session') requestSession.refuseResumption(() => this.#reject(exchange, 'no_cookie'));
    return undefined;
  }

  #isGood(given: unknown, binding: CsrfBinding): boolean {
    if (typeof given !== 'string') return false;
    const known = this.#knownTokens.get(given);
    if (known !== undefined && known.secret === binding.secret && known.kind === binding.kind) return true;
    if (!isCsrfToken(given, this.#keys, binding)) return false;
    this.#knownTokens.set(given, binding);
    return true;
  }

  #judgeOrigin(exchange: HttpExchange, referer: unknown): CsrfRejection | undefined {
    const { publicOrigins, trustedOrigins } = this.settings;
    const { protocol, host } = exchange;
    const origin = exchange.headers.origin;
    const secFetchSite = exchange.headers['sec-fetch-site'];
    // if there is an origin, only the origin and this header decide
    const known = typeof origin === 'string' ? this.#knownOrigins.get(origin) : undefined;
    if (known !== undefined && isSame(known, { protocol, host, secFetchSite })) return undefined;
    let own: Parameters<typeof judgeOrigin>[1] = publicOrigins;
    if (own.length === 0) {
      const reachedAt = parseOwnOrigin(protocol, host);
      own = reachedAt === undefined ? [] : [reachedAt];
    }
    const reason = judgeOrigin({ origin, referer, secFetchSite }, own, trustedOrigins);
    // refusals are not cached
    if (reason === undefined && typeof origin === 'string')
      this.#knownOrigins.set(origin, { protocol, host, secFetchSite });
    return reason;
  }

  /**
   * Returns the token of the request: from the header if present, even if it is wrong, otherwise from the parsed body.
   */
  #givenToken(exchange: HttpExchange): unknown {
    const { header, field } = this.settings;
    const inHeader = exchange.headers[header];
    if (inHeader !== undefined) return inHeader;
    const { body } = exchange;
    return typeof body === 'object' && body !== null && Object.hasOwn(body, field)
      ? (body as Record<string, unknown>)[field]
      : undefined;
  }
}

function isSame(one: AskedFrom, other: AskedFrom): boolean {
  return one.protocol === other.protocol && one.host === other.host && one.secFetchSite === other.secFetchSite;
}

/** Whether it opens a page in a tab, for example by a link. */
function isNavigation(exchange: HttpExchange): boolean {
  const isSafe = exchange.method === 'GET' || exchange.method === 'HEAD';
  const [mode, destination] = [exchange.headers['sec-fetch-mode'], exchange.headers['sec-fetch-dest']];
  return isSafe && mode === 'navigate' && destination === 'document';
}

/** Whether the request has a genuine cookie that signs somebody in: of a session, or of a remembered device. */
function isAuthenticating({ presented }: RequestSession): boolean {
  return presented.session !== undefined || presented.rememberMe !== undefined;
}

function bindingOf({ presented, responseCookies }: RequestSession): CsrfBinding | undefined {
  const { session } = presented;
  if (session !== undefined) return { kind: 'session', secret: session.token };
  const { preSessionId } = responseCookies;
  return preSessionId === undefined ? undefined : { kind: 'pre-session', secret: preSessionId };
}

/** Whether a verb is protected: compared exactly, because verbs are case-sensitive (RFC 9110 9.1). */
function isProtectedMethod(method: string, methods: readonly string[] | undefined): boolean {
  return methods === undefined ? !SAFE_METHODS.has(method) : methods.includes(method);
}

const HTML_ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => HTML_ESCAPES[character]!);
}
