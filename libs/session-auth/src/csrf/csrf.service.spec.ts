import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { IncomingMessage, ServerResponse, type IncomingHttpHeaders } from 'node:http';
import { Socket } from 'node:net';
import fc from 'fast-check';
import { anyCharacter } from '../../test/any-character.js';
import 'reflect-metadata';
import { KeyRing } from '../crypto/key-ring.js';
import { issueSessionToken } from '../crypto/session-token.js';
import { SessionEventPublisher } from '../events/event-publisher.js';
import type { SessionEvent } from '../events/session-event.js';
import { cookieAttributes } from '../../test/fixtures/cookie-attributes.js';
import { CookieSet } from '../http/cookie-set.js';
import { DEFAULT_HTTP } from '../http/http.options.js';
import { RealmRegistry } from '../http/realm-registry.js';
import type { RequestSession } from '../http/request-session.js';
import { RequestServices } from '../http/request-services.js';
import { RequestSessionFactory } from '../http/request-session-factory.js';
import { DEFAULT_REMEMBER_ME } from '../remember-me/remember-me.options.js';
import { DEFAULT_SESSION_LIFETIME } from '../session/lifetime.options.js';
import { SessionGuessing } from '../throttle/session-guessing.js';
import { CsrfExempt } from './csrf-exempt.decorator.js';
import type { CsrfProtection } from './csrf-metadata.js';
import { CsrfProtected } from './csrf-protected.decorator.js';
import type { CsrfSettings } from './csrf.options.js';
import { isMethodName } from './method-name.js';
import { CsrfGuard } from './csrf.guard.js';
import { CsrfKey, isCsrfToken } from './csrf-token.js';
import { CsrfService } from './csrf.service.js';
import { EmbeddingGuard } from './embedding.guard.js';
import { parseTrustedOrigin } from './request-origin.js';
import { DAY } from '../time/units.js';

const NOW = Date.UTC(2026, 0, 1);
const NEW = 'the new secret, long enough to be one';
const OLD = 'the old secret, long enough to be one';
const ATTRIBUTES = cookieAttributes({ name: 'session' });
const SETTINGS: CsrfSettings = {
  header: 'x-csrf-token',
  field: 'csrf_token',
  methods: undefined,
  trustedOrigins: [],
  publicOrigins: [],
  global: false,
};
const JSON_OF_CODE = expect.objectContaining({ response: expect.objectContaining({ code: 'csrf_failed' }) });

class Handlers {
  plain(): void {}

  @CsrfProtected({ methods: ['DELETE'] })
  deletes(): void {}

  @CsrfExempt()
  exempt(): void {}
}

let events: SessionEvent[];

interface Given {
  readonly method?: string;
  readonly originalMethod?: string;
  readonly headers?: IncomingHttpHeaders;
  readonly body?: unknown;
  readonly headersSent?: boolean;
  readonly settings?: Partial<CsrfSettings>;
  readonly secrets?: readonly string[];
  readonly handler?: keyof Handlers;
  readonly type?: string;
  /** In GraphQL: the kind of the operation. */
  readonly operation?: unknown;
  /** @default https */
  readonly protocol?: string | undefined;
}

interface Asked {
  readonly csrf: CsrfService;
  readonly request: object;
  readonly requestSession: RequestSession;
  readonly pass: () => Promise<boolean>;
  /** Passes the guard against embedding. */
  readonly show: () => Promise<boolean>;
  readonly head: () => Record<string, unknown>;
}

/** One request to an application, as its guard sees it. There is no store. */
function ask(given: Given = {}): Asked {
  const { settings = {}, secrets = [NEW], handler = 'plain', type = 'http' } = given;
  const keys = new KeyRing(secrets);
  const clock = { now: () => NOW };
  const publisher = new SessionEventPublisher(clock, { record: (event) => void events.push(event) });
  const cookies = cookieSet(secrets);
  const guessing = new SessionGuessing(publisher, clock);
  const unused = undefined as never;
  const sessions = new RequestSessionFactory(
    new RequestServices(cookies, unused, unused, unused, unused, guessing, clock, publisher, DEFAULT_HTTP),
  );
  const csrf = new CsrfService(keys, { ...SETTINGS, ...settings }, publisher, sessions);
  const realms = new RealmRegistry(new Reflector());
  realms.add('default', { requestSessions: sessions, services: new Map([[CsrfService, csrf]]) });
  const response = new ServerResponse(new IncomingMessage(new Socket()));
  if (given.headersSent) response.writeHead(200);
  const { method = 'POST', originalMethod, headers = {}, body } = given;
  const request = {
    method,
    originalMethod,
    body,
    protocol: 'protocol' in given ? given.protocol : 'https',
    ip: '192.0.2.1',
    headers: { host: 'bank.example', ...headers },
    rawHeaders: [],
  };
  const info = { schema: {}, fragments: {}, operation: { operation: given.operation } };
  const context = {
    getType: () => type,
    getArgs: () => [undefined, {}, { req: request, res: response }, info],
    getClass: () => Handlers,
    getHandler: () => handlerOf(handler),
    switchToHttp: () => ({ getRequest: () => request, getResponse: () => response }),
  } as unknown as ExecutionContext;
  const requestSession = sessions.of({ ...context, getType: () => 'http' as never }) as RequestSession;
  return {
    csrf,
    request,
    requestSession,
    pass: async () => new CsrfGuard(realms).canActivate(context),
    show: async () => new EmbeddingGuard(realms).canActivate(context),
    head: () => {
      if (!response.headersSent) response.writeHead(200);
      return response.getHeaders();
    },
  };
}

function handlerOf(name: keyof Handlers): object {
  return Object.getOwnPropertyDescriptor(Handlers.prototype, name)!.value as object;
}

function cookieSet(secrets: readonly string[] = [NEW]): CookieSet {
  return new CookieSet(new KeyRing(secrets), ATTRIBUTES, DEFAULT_SESSION_LIFETIME, DEFAULT_REMEMBER_ME, undefined);
}

/** The cookie of a session that nobody looks up. */
function sessionCookie(secrets: readonly string[] = [NEW]): string {
  return cookieSet(secrets)
    .session.issue(issueSessionToken('alice'), { absoluteExpiresAt: new Date(NOW + DAY) }, NOW)
    .split(';')[0]!;
}

/** The cookie of a remembered device that nobody looks up. */
function rememberMeCookie(): string {
  return cookieSet()
    .rememberMe!.issue('t'.repeat(68), 'alice', NOW + DAY, NOW)
    .split(';')[0]!;
}

const tokenOf = (cookie: string, given: Given = {}): string => {
  const { csrf, request } = ask({ ...given, headers: { cookie } });
  return csrf.issue(request);
};

const reasonOf = async (given: Given): Promise<string | undefined> => {
  events.length = 0;
  const passed = await ask(given)
    .pass()
    .catch((error: unknown) => {
      expect(error).toEqual(JSON_OF_CODE);
      return false;
    });
  const [event] = events;
  if (passed) return expect(events).toEqual([]) as undefined;
  return event?.type === 'csrf.rejected' ? event.reason : 'no event';
};

beforeEach(() => {
  events = [];
});

describe('issue', () => {
  it('binds a token to the session, and says that nobody may store the answer', () => {
    const cookie = sessionCookie();
    const { csrf, request, head } = ask({ headers: { cookie } });
    const token = csrf.issue(request);
    expect(token).toMatch(/^[\w-]{86}$/);
    expect(csrf.issue(request)).not.toBe(token);
    expect(head()).toEqual({ 'cache-control': 'no-store', vary: 'Cookie' });
  });

  it('binds it to a pre-session where there is no session, and hands that out once', () => {
    const { csrf, request, head } = ask();
    const tokens = [csrf.issue(request), csrf.issue(request)];
    const [line, ...more] = head()['set-cookie'] as string[];
    expect(more).toEqual([]);
    const cookie = line!.split(';')[0]!;
    for (const token of tokens) {
      const again = ask({ headers: { cookie, 'x-csrf-token': token } });
      expect(again.csrf.verify(again.request)).toBe(true);
      expect(again.csrf.issue(again.request)).toMatch(/^[\w-]{86}$/);
      expect(again.head()['set-cookie']).toBeUndefined();
    }
  });

  it('uses keys of its own purpose, and no other', () => {
    const keys = new KeyRing([NEW]);
    const { csrf, request, requestSession } = ask({ headers: { cookie: sessionCookie() } });
    const token = csrf.issue(request);
    const binding = { kind: 'session', secret: requestSession.token! } as const;
    const keysFor = (purpose: string): CsrfKey[] => keys.deriveKeys(purpose).map((key) => new CsrfKey(key));
    expect(isCsrfToken(token, keysFor('csrf'), binding)).toBe(true);
    expect(isCsrfToken(token, keysFor('fingerprint'), binding)).toBe(false);
  });

  it('does without headers where they are out', () => {
    const { csrf, request, head } = ask({ headersSent: true, headers: { cookie: sessionCookie() } });
    expect(csrf.issue(request)).toMatch(/^[\w-]{86}$/);
    expect(csrf.verify(request)).toBe(false);
    expect(head()).toEqual({});
  });

  it('makes a hidden field, whose name cannot break out of it', () => {
    const { csrf, request } = ask({ settings: { field: `<a "b" 'c' &>` } });
    expect(csrf.fieldName).toBe(`<a "b" 'c' &>`);
    expect(csrf.headerName).toBe('x-csrf-token');
    expect(csrf.formField(request)).toMatch(
      /^<input type="hidden" name="&lt;a &quot;b&quot; &#39;c&#39; &amp;&gt;" value="[\w-]{86}">$/,
    );
  });

  it('says what is missing where no guard has seen the request', () => {
    const { csrf } = ask();
    expect(() => csrf.issue({ headers: {} })).toThrow(expect.objectContaining({ code: 'request_not_bound' }));
    expect(() => csrf.verify({ headers: {} })).toThrow(expect.objectContaining({ code: 'request_not_bound' }));
  });
});

describe('the guard', () => {
  const cookie = sessionCookie();
  const token = tokenOf(cookie);
  const good = { cookie, 'x-csrf-token': token };

  it('lets a request with its token pass, in the header or in the field', async () => {
    expect(await reasonOf({ headers: good })).toBeUndefined();
    expect(await reasonOf({ headers: { cookie }, body: { csrf_token: token } })).toBeUndefined();
    const bare = Object.assign(Object.create(null) as object, { csrf_token: token });
    expect(await reasonOf({ headers: { cookie }, body: bare })).toBeUndefined();
  });

  it('tells the event why, and the client nothing of it', async () => {
    const headers = { ...good, origin: 'https://evil.example', 'user-agent': 'test/1.0' };
    await expect(ask({ headers }).pass()).rejects.toEqual(
      expect.objectContaining({
        response: {
          statusCode: 403,
          code: 'csrf_failed',
          message: 'the request could not be verified; reload the page and try again',
          realm: 'default',
        },
      }),
    );
    expect(events).toEqual([
      {
        type: 'csrf.rejected',
        realm: 'default',
        at: new Date(NOW),
        reason: 'untrusted_origin',
        method: 'POST',
        origin: 'https://evil.example',
        client: { ip: '192.0.2.1', userAgent: 'test/1.0' },
      },
    ]);
  });

  it('cuts an origin that it tells of, and tells of none that is no text', async () => {
    await ask({ headers: { ...good, origin: `https://${'x'.repeat(400)}` } })
      .pass()
      .catch(() => undefined);
    await ask({ headers: { ...good, origin: ['a', 'b'] as never } })
      .pass()
      .catch(() => undefined);
    expect(events).toMatchObject([{ origin: `https://${'x'.repeat(192)}` }, { origin: undefined }]);
  });

  it.each<[string, string, Given]>([
    ['no token', 'no_token', { headers: { cookie } }],
    ['no token in a body that is a text', 'no_token', { headers: { cookie }, body: `csrf_token=${token}` }],
    ['no token in a body that is null', 'no_token', { headers: { cookie }, body: null }],
    ['an inherited token', 'no_token', { headers: { cookie }, body: Object.create({ csrf_token: token }) as object }],
    ['another field', 'no_token', { headers: { cookie }, body: { csrf: token } }],
    ['a wrong token', 'wrong_token', { headers: { cookie, 'x-csrf-token': `${token}x` } }],
    [
      'a wrong header before a good field',
      'wrong_token',
      {
        headers: { cookie, 'x-csrf-token': '' },
        body: { csrf_token: token },
      },
    ],
    ['a token in a list', 'wrong_token', { headers: { cookie }, body: { csrf_token: [token] } }],
    ['a token of another session', 'wrong_token', { headers: { cookie: sessionCookie(), 'x-csrf-token': token } }],
    ['a token without a cookie', 'no_cookie', { headers: { 'x-csrf-token': token } }],
    ['a token with a forged cookie', 'no_cookie', { headers: { cookie: 'session=x', 'x-csrf-token': token } }],
    ['Sec-Fetch-Site', 'cross_site', { headers: { ...good, 'sec-fetch-site': 'cross-site' } }],
    ['Referer', 'untrusted_origin', { headers: { ...good, referer: 'https://evil.example/' } }],
    [
      'a Host that makes no origin',
      'untrusted_origin',
      {
        headers: { ...good, host: 'a/b', origin: 'https://bank.example' },
      },
    ],
  ])('refuses %s as %s', async (_what, reason, given) => {
    expect(await reasonOf(given)).toBe(reason);
  });

  it('asks the browser’s headers for our own origin, by protocol and Host, or as configured', async () => {
    const origin = 'https://bank.example';
    expect(await reasonOf({ headers: { ...good, origin } })).toBeUndefined();
    expect(await reasonOf({ headers: { ...good, origin: 'https://shop.example' } })).toBe('untrusted_origin');
    const publicOrigins = [parseTrustedOrigin('https://shop.example')!];
    const trustedOrigins = publicOrigins;
    expect(
      await reasonOf({ headers: { ...good, origin: 'https://shop.example' }, settings: { publicOrigins } }),
    ).toBeUndefined();
    expect(await reasonOf({ headers: { ...good, origin }, settings: { publicOrigins } })).toBe('untrusted_origin');
    expect(
      await reasonOf({ headers: { ...good, origin: 'https://shop.example' }, settings: { trustedOrigins } }),
    ).toBeUndefined();
    expect(await reasonOf({ headers: { ...good, origin }, settings: { trustedOrigins } })).toBeUndefined();
  });

  it('protects every verb but three, by the one of the request line', async () => {
    for (const method of ['GET', 'HEAD', 'OPTIONS']) expect(await reasonOf({ method })).toBeUndefined();
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'PURGE', 'get', 'TRACE', '']) {
      expect(await reasonOf({ method })).toBe('no_token');
    }
  });

  it('protects a request whose verb was overridden, by either of the two', async () => {
    expect(await reasonOf({ method: 'GET', originalMethod: 'POST' })).toBe('no_token');
    expect(await reasonOf({ method: 'POST', originalMethod: 'GET' })).toBe('no_token');
    expect(await reasonOf({ method: 'GET', originalMethod: 'GET' })).toBeUndefined();
  });

  it('is narrowed by the module’s verbs, and those by the handler’s', async () => {
    const settings = { methods: ['PUT'] };
    expect(await reasonOf({ method: 'PUT', settings })).toBe('no_token');
    expect(await reasonOf({ method: 'POST', settings })).toBeUndefined();
    expect(await reasonOf({ method: 'DELETE', settings, handler: 'deletes' })).toBe('no_token');
    expect(await reasonOf({ method: 'PUT', settings, handler: 'deletes' })).toBeUndefined();
  });

  it('leaves exempt handlers and messages on open connections alone', async () => {
    expect(await reasonOf({ handler: 'exempt' })).toBeUndefined();
    expect(await reasonOf({ type: 'ws' })).toBeUndefined();
    expect(await reasonOf({ type: 'rpc' })).toBeUndefined();
  });

  it('goes by the kind of an operation of GraphQL, and by no verb', async () => {
    for (const method of ['GET', 'POST']) {
      for (const settings of [{}, { methods: ['PUT'] }]) {
        const reasonOfOperation = (operation: unknown): Promise<unknown> =>
          reasonOf({ type: 'graphql', method, operation, settings });
        expect(await reasonOfOperation('query')).toBeUndefined();
        expect(await reasonOfOperation('subscription')).toBeUndefined();
        for (const operation of ['mutation', undefined, 'novelty']) {
          expect(await reasonOfOperation(operation)).toBe('no_token');
        }
      }
    }
    expect(await reasonOf({ type: 'graphql', operation: 'mutation', handler: 'exempt' })).toBeUndefined();
  });

  it('says in Vary what decided', async () => {
    const { pass, head } = ask({ headers: good });
    await pass();
    expect(head()['vary']).toBe('Cookie, Origin, Sec-Fetch-Site');
  });

  it('goes by the headers alone where told so, as long as nobody is signed in by a cookie', () => {
    const protection: CsrfProtection = { withoutSession: 'headers' };
    const guard = (given: Given): void => {
      const { csrf, requestSession } = ask(given);
      csrf.guard(requestSession, protection);
    };
    expect(() => guard({})).not.toThrow();
    expect(() => guard({ headers: { cookie: 'session-remember=forged' } })).not.toThrow();
    const refused = expect.objectContaining({ code: 'csrf_failed' });
    expect(() => guard({ headers: { cookie: rememberMeCookie() } })).toThrow(refused);
    expect(() => guard({ headers: { cookie } })).toThrow(refused);
    expect(() => guard({ headers: { origin: 'https://evil.example' } })).toThrow(refused);
    expect(() => {
      const { csrf, requestSession } = ask();
      csrf.guard(requestSession);
    }).toThrow(refused);
  });

  it('takes tokens under every key of the ring, and issues under the first', async () => {
    const secrets = [NEW, OLD];
    const old = sessionCookie([OLD]);
    const issuedThen = tokenOf(old, { secrets: [OLD] });
    expect(await reasonOf({ secrets, headers: { cookie: old, 'x-csrf-token': issuedThen } })).toBeUndefined();
    const issuedNow = tokenOf(cookie, { secrets });
    expect(await reasonOf({ headers: { cookie, 'x-csrf-token': issuedNow } })).toBeUndefined();
  });

  it('never throws anything but its refusal, and never lets pass, whatever comes for a token', () => {
    const anything = fc.oneof(fc.anything(), fc.string({ unit: anyCharacter, minLength: 86, maxLength: 86 }));
    fc.assert(
      fc.property(anything, fc.boolean(), (value, inHeader) => {
        const { csrf, request } = ask(
          inHeader
            ? { headers: { cookie, 'x-csrf-token': value as string } }
            : { headers: { cookie }, body: { csrf_token: value } },
        );
        expect(csrf.verify(request)).toBe(false);
      }),
      { numRuns: 100 },
    );
  });
});

describe('what may not be embedded', () => {
  const navigation = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };

  it.each(['GET', 'HEAD'])('opens by a link of another site, which is a %s of a document', async (method) => {
    expect(await ask({ method, headers: navigation }).show()).toBe(true);
    for (const dest of ['iframe', 'frame', 'object', 'embed', undefined]) {
      const headers = { ...navigation, 'sec-fetch-dest': dest };
      await expect(ask({ method, headers }).show()).rejects.toEqual(JSON_OF_CODE);
    }
    await expect(ask({ method, headers: { ...navigation, 'sec-fetch-mode': 'no-cors' } }).show()).rejects.toEqual(
      JSON_OF_CODE,
    );
  });

  it('says so to browsers, and to caches what that hangs on', async () => {
    const { show, head } = ask({ method: 'GET' });
    await show();
    expect(head()).toMatchObject({
      vary: 'Origin, Sec-Fetch-Site, Sec-Fetch-Mode, Sec-Fetch-Dest',
      'cross-origin-resource-policy': 'same-origin',
    });
  });

  it('does not open by a form of another site', async () => {
    await expect(ask({ method: 'POST', headers: navigation }).show()).rejects.toEqual(JSON_OF_CODE);
  });

  it('goes by the public origins, where there are such, and not by Host', async () => {
    const settings = { publicOrigins: [parseTrustedOrigin('https://public.example')!] };
    const headers = { origin: 'https://bank.example' };
    expect(await ask({ method: 'GET', headers }).show()).toBe(true);
    await expect(ask({ method: 'GET', headers, settings }).show()).rejects.toEqual(JSON_OF_CODE);
    expect(await ask({ method: 'GET', headers: { origin: 'https://public.example' }, settings }).show()).toBe(true);
  });

  it('is no matter of messages, nor of an answer whose head is out', async () => {
    const headers = { 'sec-fetch-site': 'cross-site' };
    for (const type of ['ws', 'rpc']) expect(await ask({ type, headers }).show()).toBe(true);
    const late = ask({ method: 'GET', headersSent: true });
    expect(await late.show()).toBe(true);
    expect(late.head()).not.toHaveProperty('cross-origin-resource-policy');
  });
});

describe('origins that were found good before', () => {
  const own = 'https://bank.example';

  it('let nothing else pass: no other origin, host or relation', () => {
    const { csrf } = ask();
    const embed = (headers: IncomingHttpHeaders) => (): void =>
      csrf.guardEmbedding(ask({ method: 'GET', headers }).requestSession);
    for (const headers of [{ origin: own }, { origin: own, 'sec-fetch-site': 'none' }, {}]) {
      for (let again = 0; again < 2; again += 1) expect(embed(headers)).not.toThrow();
    }
    for (const headers of [
      { origin: 'https://evil.example' },
      { origin: 'https://bank.examplenone' },
      { origin: own, host: 'other.example' },
      { origin: own, host: undefined },
      { origin: own, 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'cross-site' },
    ]) {
      for (let again = 0; again < 2; again += 1) {
        // even the last valid origin fails when one part differs
        expect(embed({ origin: own })).not.toThrow();
        expect(embed(headers)).toThrow(expect.objectContaining({ code: 'csrf_failed' }));
      }
    }
  });

  it('are not judged again, and what was refused is', () => {
    let judged = 0;
    const publicOrigins = new Proxy([parseTrustedOrigin(own)!], {
      get: (target, name, receiver): unknown => {
        if (name === 'length') judged += 1;
        return Reflect.get(target, name, receiver);
      },
    });
    const { csrf } = ask({ settings: { publicOrigins } });
    const costOf = (headers: IncomingHttpHeaders): number => {
      judged = 0;
      try {
        csrf.guardEmbedding(ask({ method: 'GET', headers }).requestSession);
      } catch {
        // refused
      }
      return judged;
    };
    const [good, evil] = [
      { origin: own, 'sec-fetch-site': 'same-origin' },
      { origin: 'https://evil.example', 'sec-fetch-site': 'same-origin' },
    ];
    expect([costOf(good) > 0, costOf(good), costOf(good)]).toEqual([true, 0, 0]);
    expect([costOf(evil) > 0, costOf(evil) > 0]).toEqual([true, true]);
  });

  it('let no unknown one pass whose request says nothing else', () => {
    const { csrf } = ask();
    const silent = ask({
      method: 'GET',
      headers: { origin: 'https://evil.example', host: undefined },
      protocol: undefined,
    });
    for (let again = 0; again < 2; again += 1) {
      expect(() => csrf.guardEmbedding(silent.requestSession)).toThrow(
        expect.objectContaining({ code: 'csrf_failed' }),
      );
    }
  });

  it('do not speak for the same origin over another protocol', () => {
    const { csrf } = ask();
    const embed = (protocol: string) => (): void =>
      csrf.guardEmbedding(ask({ method: 'GET', headers: { origin: own }, protocol }).requestSession);
    expect(embed('https')).not.toThrow();
    expect(embed('http')).toThrow(expect.objectContaining({ code: 'csrf_failed' }));
    expect(embed('https')).not.toThrow();
  });

  it('are not those of a Referer', () => {
    const { csrf } = ask();
    const post = (headers: IncomingHttpHeaders) => (): void =>
      csrf.guard(ask({ headers }).requestSession, { withoutSession: 'headers' });
    expect(post({})).not.toThrow();
    expect(post({ referer: `${own}/page` })).not.toThrow();
    expect(post({ referer: 'https://evil.example/' })).toThrow(expect.objectContaining({ code: 'csrf_failed' }));
  });
});

describe('tokens that were found good before', () => {
  const own = 'https://bank.example';

  it('are good again for the same session, and for nothing else', () => {
    const { csrf } = ask();
    const [alices, bobs] = [sessionCookie(), sessionCookie()];
    const token = tokenOf(alices);
    const post = (cookie: string | undefined, given: string) => (): void =>
      csrf.guard(ask({ headers: { cookie, origin: own, 'x-csrf-token': given } }).requestSession);
    for (let again = 0; again < 3; again += 1) {
      expect(post(alices, token)).not.toThrow();
      for (const cookie of [bobs, undefined, 'session=x']) {
        expect(post(cookie, token)).toThrow(expect.objectContaining({ code: 'csrf_failed' }));
      }
      for (const other of [`${token}A`, token.slice(1), token.toLowerCase(), tokenOf(bobs), '']) {
        expect(post(alices, other)).toThrow(expect.objectContaining({ code: 'csrf_failed' }));
      }
    }
  });

  it('are not checked again, and wrong ones are', () => {
    const { csrf } = ask();
    const [alices, bobs] = [sessionCookie(), sessionCookie()];
    const [good, wrong] = [tokenOf(alices), tokenOf(bobs)];
    const check = jest.spyOn(CsrfKey.prototype, 'macOf');
    const isChecked = (given: string): boolean => {
      check.mockClear();
      csrf.verify(ask({ headers: { cookie: alices, origin: own, 'x-csrf-token': given } }).request);
      return check.mock.calls.length > 0;
    };
    expect([isChecked(good), isChecked(good), isChecked(good)]).toEqual([true, false, false]);
    expect([isChecked(wrong), isChecked(wrong)]).toEqual([true, true]);
    check.mockRestore();
  });

  it('do not become good by being presented', () => {
    const { csrf } = ask();
    const [alices, bobs] = [sessionCookie(), sessionCookie()];
    const token = tokenOf(bobs);
    const post = (cookie: string) => (): void =>
      csrf.guard(ask({ headers: { cookie, origin: own, 'x-csrf-token': token } }).requestSession);
    for (let again = 0; again < 2; again += 1) {
      expect(post(alices)).toThrow(expect.objectContaining({ code: 'csrf_failed' }));
      expect(post(bobs)).not.toThrow();
    }
  });

  it('of a pre-session do not speak for a session with its secret', () => {
    const { csrf, request, head } = ask();
    const token = csrf.issue(request);
    const preSession = (head()['set-cookie'] as string[])[0]!.split(';')[0]!;
    const post = (cookie: string) => (): void =>
      csrf.guard(ask({ headers: { cookie, origin: own, 'x-csrf-token': token } }).requestSession);
    expect(post(preSession)).not.toThrow();
    expect(post(`${preSession}; ${sessionCookie()}`)).toThrow(expect.objectContaining({ code: 'csrf_failed' }));
    expect(post(preSession)).not.toThrow();
  });
});

describe('the decorators', () => {
  it('take verbs in capitals only', () => {
    for (const method of ['POST', 'M-SEARCH', 'A', 'X'.repeat(32)]) expect(isMethodName(method)).toBe(true);
    for (const method of ['', 'post', 'Post', '-X', 'PO ST', 'POST\n', 'X'.repeat(33), 5, undefined, ['POST']]) {
      expect(isMethodName(method)).toBe(false);
    }
    expect(() => CsrfProtected({ methods: ['POST', 'delete'] })).toThrow(
      expect.objectContaining({
        code: 'invalid_configuration',
        message: `@CsrfProtected: methods: given "delete"; allowed are HTTP verbs in capitals, such as 'POST'`,
      }),
    );
    expect(() => CsrfProtected()).not.toThrow();
  });

  it('bring the guard along', () => {
    const guards = Reflect.getMetadata('__guards__', handlerOf('deletes')) as unknown;
    expect(guards).toEqual([CsrfGuard]);
  });
});
