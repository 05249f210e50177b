import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { PRE_SESSION_COOKIE, REMEMBER_COOKIE, SESSION_COOKIE } from '../support/bank-client.js';
import { ADAPTERS, startBank, type Bank } from '../support/bank.js';
import { rawBytes, rawRequest, type RawAnswer } from '../support/raw-request.js';
import { makeSelfSignedCertificate } from '../support/self-signed-certificate.js';
import { watchedBackend, type WatchedBackend } from '../support/watched-store.js';

const VARIANTS = ADAPTERS.flatMap((adapter) => [
  { adapter, tls: false, how: `${adapter}, plain` },
  { adapter, tls: true, how: `${adapter}, TLS` },
]);

/** What neither browsers nor Node's own client would send. */
describe.each(VARIANTS)('bytes on the wire: $how', ({ adapter, tls }) => {
  let backend: WatchedBackend;
  let bank: Bank;
  let alice: string;
  let bob: string;
  let csrf: string;

  beforeAll(async () => {
    backend = watchedBackend();
    bank = await startBank({ adapter, backend, certificate: tls ? makeSelfSignedCertificate() : undefined });
    // on a node without TLS that shares the store: the client of these tests speaks none
    const door = await startBank({ adapter, backend });
    const client = door.client();
    await client.login('alice');
    alice = client.sealed;
    csrf = await client.csrfToken();
    const other = door.client();
    await other.login('bob');
    bob = other.sealed;
    await door.close();
  });

  beforeEach(() => {
    backend.calls.length = 0;
    bank.events.length = 0;
  });

  afterAll(() => bank.close());

  const ask = (lines: readonly string[], body = ''): Promise<RawAnswer> => rawRequest(bank.port, lines, body, { tls });
  const me = (...lines: readonly string[]): Promise<RawAnswer> => ask(['GET /api/me HTTP/1.1', 'Host: bank', ...lines]);

  /** Nobody is let in, nothing is asked of a store, and nothing breaks. */
  function expectNobody({ status, text }: RawAnswer, ...allowed: readonly number[]): void {
    expect(text).not.toContain('"userId"');
    expect(text.toLowerCase()).not.toMatch(/set-cookie: __host-session=[^;]/);
    expect(allowed.length === 0 ? [400, 401] : allowed).toContain(status);
    expect(backend.calls).toEqual([]);
  }

  describe('a genuine cookie', () => {
    it('opens the door, alone and among others, on one line or several', async () => {
      const placements = [
        [`Cookie: ${SESSION_COOKIE}=${alice}`],
        [`cookie:${SESSION_COOKIE}=${alice}`],
        [`Cookie: a=b; ${SESSION_COOKIE}=${alice}; c=d`],
        [`Cookie: a=b;${SESSION_COOKIE}=${alice};`],
        ['Cookie: a=b', `Cookie: ${SESSION_COOKIE}=${alice}`],
        [`Cookie: ${SESSION_COOKIE}=${alice}`, 'Cookie: a=b', 'X: y', 'Cookie: c=d'],
        [`Cookie: ; ;; =; a; ${SESSION_COOKIE}=${alice}`],
      ];
      for (const lines of placements) expect(await me(...lines)).toMatchObject({ status: 200 });
    });

    it('twice, with the second one at any position, opens nothing', async () => {
      const [mine, hers] = [`${SESSION_COOKIE}=${alice}`, `${SESSION_COOKIE}=${bob}`];
      const placements = [
        [`Cookie: ${mine};${hers}`],
        [`Cookie: ${mine};;${hers}`],
        [`Cookie: ${mine}; a=b; ${hers}`],
        [`Cookie: ${mine};\t${mine}`],
        [`Cookie: ${mine}`, `Cookie: ${hers}`],
        [`Cookie: ${mine}`, `cOOKIE: ${mine}`],
        [`Cookie: ${mine}`, 'X: y', `COOKIE: a=b; ${hers}`],
        [`Cookie: ${mine}; ${SESSION_COOKIE}=`],
        [`Cookie: ${SESSION_COOKIE}=; ${mine}`],
        [`Cookie: ${mine}; ${SESSION_COOKIE} =x`],
        [`Cookie: ${SESSION_COOKIE}\t= x; ${mine}`],
        [`Cookie: a; ${mine}; b; ${SESSION_COOKIE}=%00`],
      ];
      for (const lines of placements) expectNobody(await me(...lines), 401);
    });

    it('under a name that only reads like ours to somebody else opens nothing', async () => {
      const names = [
        '__host-session',
        '__HOST-SESSION',
        '__Host-Session',
        '__Host-session\x00',
        '\x00__Host-session',
        '__Host-session\xa0',
        '\xa0__Host-session',
        '\xe2\x80\x80__Host-session',
        '\xe3\x80\x80__Host-session',
        '\xef\xbb\xbf__Host-session',
        '\x0b__Host-session',
        '\x0c__Host-session',
        '"__Host-session"',
        '__Host%2Dsession',
        '%5f%5fHost-session',
        '__Host-session[]',
        '__Host-session.x',
        '$Version=1,__Host-session',
        '$Version=1; $__Host-session',
        'a,__Host-session',
        'a =__Host-session',
        '=__Host-session',
        '__Host-session=',
        '__proto__',
        'session',
      ];
      for (const name of names) expectNobody(await me(`Cookie: ${name}=${alice}`));
    });

    it('with anything around or inside its value opens nothing', async () => {
      const half = alice.length / 2;
      const values = [
        `"${alice}"`,
        `${alice}"`,
        `'${alice}'`,
        `${alice},`,
        `${alice}, a=b`,
        `${alice}\x00`,
        `\x00${alice}`,
        `${alice.slice(0, half)}\x00${alice.slice(half)}`,
        `${alice.slice(0, half)} ${alice.slice(half)}`,
        `${alice.slice(0, half)}\t${alice.slice(half)}`,
        `${alice.slice(0, half)};${alice.slice(half)}`,
        `${alice}\x7f`,
        `${alice}\x1b[0m`,
        `\xa0${alice}`,
        `${alice}\xa0`,
        `${alice}\xff\xfe`,
        `\xc0\xae${alice}`,
        `${alice}%0d%0aSet-Cookie:%20a=b`,
        `${alice}%`,
        `${alice}\\`,
      ];
      for (const value of values) expectNobody(await me(`Cookie: ${SESSION_COOKIE}=${value}`));
    });

    it('behind a line break that a header smuggles in opens nothing, and no answer repeats the break', async () => {
      for (const end of ['\r', '\n', '\r ', '\n\t', '\r\r\n']) {
        const answer = await me(`X-Before: a${end}Cookie: ${SESSION_COOKIE}=${alice}`);
        // Node's parser takes a lone LF for no end of a line; where it did, the request would be the client's own
        expectNobody(answer);
      }
      for (const name of [SESSION_COOKIE, REMEMBER_COOKIE, PRE_SESSION_COOKIE]) {
        const answer = await ask(['GET /auth/csrf HTTP/1.1', 'Host: bank', `Cookie: ${name}=x%0d%0aX-Injected: 1`]);
        expect(answer.status).toBe(200);
        expect(answer.text.toLowerCase()).not.toContain('x-injected');
      }
    });

    it('in a Cookie2, a folded line or a trailer opens nothing', async () => {
      expectNobody(await me(`Cookie2: ${SESSION_COOKIE}=${alice}`));
      expectNobody(await me(`Cookie : ${SESSION_COOKIE}=${alice}`));
      expectNobody(await me(` Cookie: ${SESSION_COOKIE}=${alice}`));
      expectNobody(await me('Cookie: a=b;', ` ${SESSION_COOKIE}=${alice}`));
      const chunked = [
        'GET /api/me HTTP/1.1',
        'Host: bank',
        'Connection: close',
        'Trailer: Cookie',
        'Transfer-Encoding: chunked',
        '',
        '0',
        `Cookie: ${SESSION_COOKIE}=${alice}`,
        '',
        '',
      ];
      expectNobody(await rawBytes(bank.port, chunked.join('\r\n'), { tls }));
    });
  });

  describe('the request line', () => {
    it('by any verb of any case: a guarded route stays shut, a change needs its token', async () => {
      const verbs = ['get', 'Get', 'post', 'pATCH', 'delete', 'TRACE', 'CONNECT', 'PROPFIND', 'QUERY', 'FOO', 'G\x00T'];
      for (const verb of verbs) {
        for (const path of ['/api/me', '/api/preferences', '/auth/sessions', '/auth/logout']) {
          const lines = [`${verb} ${path} HTTP/1.1`, 'Host: bank'];
          expectNobody(await ask(lines), 0, 400, 401, 404, 405, 501);
          const { text, status } = await ask([...lines, `Cookie: ${SESSION_COOKIE}=${alice}`]);
          expect(text).not.toContain('"userId"');
          expect([0, 400, 401, 403, 404, 405, 501]).toContain(status);
          backend.calls.length = 0;
        }
      }
      expect((await me(`Cookie: ${SESSION_COOKIE}=${alice}`)).status).toBe(200);
    });

    it('of HTTP/1.0 and of unknown versions gets no further than any other', async () => {
      for (const version of ['HTTP/1.0', 'HTTP/0.9', 'HTTP/2.0', 'HTTP/1.2', 'http/1.1', 'HTTP/1.1 ', 'XTTP/1.1', '']) {
        expectNobody(await ask([`GET /api/me ${version}`, 'Host: bank']));
        backend.calls.length = 0;
      }
      // without a Host even: the session does not hang on it, and no origin is ours then
      const old = ['GET /api/me HTTP/1.0', `Cookie: ${SESSION_COOKIE}=${alice}`];
      expect((await ask(old)).status).toBe(200);
      const json = ['Content-Type: application/json', `Cookie: ${SESSION_COOKIE}=${alice}`, `X-CSRF-Token: ${csrf}`];
      const transfer = ['POST /api/transfer HTTP/1.0', ...json];
      expect((await ask([...transfer, 'Origin: http://bank'], '{"to":"bob","amount":1}')).status).toBe(403);
      expect(
        (await ask(['POST /api/transfer HTTP/1.0', 'Host: bank', ...json], '{"to":"bob","amount":1}')).status,
      ).toBe(201);
    });

    it('with a target in absolute, authority or asterisk form gets around no guard', async () => {
      const targets = [
        'http://bank/api/me',
        'HTTP://bank/api/me',
        'http://evil.example/api/me',
        'http://bank@evil.example/api/me',
        'http://bank/assets/bank.svg/../api/me',
        'http:///api/me',
        '//evil.example/api/me',
        'bank:80',
        '*',
        '/assets/bank.svg#/api/me',
        '/api/me#/assets/bank.svg',
        '/api/me?/assets/bank.svg',
        '\\api\\me',
        '/api\\me',
        '/\x00/api/me',
        '/api/me\xff',
      ];
      for (const target of targets) {
        for (const method of ['GET', 'OPTIONS', 'CONNECT']) {
          expectNobody(await ask([`${method} ${target} HTTP/1.1`, 'Host: bank']), 0, 200, 400, 401, 404, 405);
        }
      }
    });

    it('in absolute form does not make its host our own origin', async () => {
      const head = [
        'POST http://evil.example/api/transfer HTTP/1.1',
        'Host: bank',
        'Content-Type: application/json',
        `Cookie: ${SESSION_COOKIE}=${alice}`,
        `X-CSRF-Token: ${csrf}`,
      ];
      const scheme = tls ? 'https' : 'http';
      const answer = await ask([...head, `Origin: ${scheme}://evil.example`], '{"to":"bob","amount":1}');
      expect([403, 404]).toContain(answer.status);
    });
  });

  describe('the Host header', () => {
    const json = '{"to":"bob","amount":1}';
    const transfer = (...lines: readonly string[]): Promise<RawAnswer> =>
      ask(
        [
          'POST /api/transfer HTTP/1.1',
          ...lines,
          'Content-Type: application/json',
          `Cookie: ${SESSION_COOKIE}=${alice}`,
          `X-CSRF-Token: ${csrf}`,
        ],
        json,
      );

    it('names our own origin only as one plainly written host', async () => {
      const scheme = tls ? 'https' : 'http';
      expect((await transfer('Host: bank', `Origin: ${scheme}://bank`)).status).toBe(201);
      const foreign: string[][] = [
        ['Host: bank', 'Host: evil.example', `Origin: ${scheme}://evil.example`],
        ['Host: bank, evil.example', `Origin: ${scheme}://evil.example`],
        ['Host: bank@evil.example', `Origin: ${scheme}://evil.example`],
        ['Host: bank/evil.example', `Origin: ${scheme}://evil.example`],
        ['Host: evil.example#bank', `Origin: ${scheme}://evil.example`],
        ['Host: evil.example?bank', `Origin: ${scheme}://evil.example`],
        ['Host: evil.example\\bank', `Origin: ${scheme}://evil.example`],
        ['Host: bank', 'X-Forwarded-Host: evil.example', `Origin: ${scheme}://evil.example`],
        ['Host: bank', 'Forwarded: host=evil.example', `Origin: ${scheme}://evil.example`],
        ['Host: bank', 'X-Host: evil.example', `Origin: ${scheme}://evil.example`],
        ['Host: bank:1', `Origin: ${scheme}://bank`],
        ['Host: ', `Origin: ${scheme}://bank`],
        ['Host: null', 'Origin: null'],
        ['Host: bank', `Origin: ${tls ? 'http' : 'https'}://bank`],
      ];
      for (const lines of foreign) expect([400, 403]).toContain((await transfer(...lines)).status);
    });

    it('is needed in HTTP/1.1, and nothing of it comes back in an answer', async () => {
      expect((await ask(['GET /api/me HTTP/1.1'])).status).toBe(400);
      for (const path of ['/auth/csrf', '/api/me', '/not/there']) {
        const { text } = await ask([
          `GET ${path} HTTP/1.1`,
          'Host: evil-host.example',
          'X-Forwarded-Host: evil-too.example',
        ]);
        expect(text).not.toMatch(/evil-host|evil-too/);
      }
    });
  });

  describe('many requests on one connection', () => {
    it('are separate: each gets the response for its own cookie, in order', async () => {
      const get = (path: string, ...lines: string[]): string =>
        [`GET ${path} HTTP/1.1`, 'Host: bank', ...lines, '', ''].join('\r\n');
      const mine = `Cookie: ${SESSION_COOKIE}=${alice}`;
      const hers = `Cookie: ${SESSION_COOKIE}=${bob}`;
      const pipeline = [
        get('/api/me', mine),
        get('/api/me'),
        get('/api/me', hers),
        get('/api/me', mine, hers),
        get('/api/me', mine),
        get('/api/me', 'Connection: close'),
      ];
      const { statuses, text } = await rawBytes(bank.port, pipeline.join(''), { tls });
      expect(statuses).toEqual([200, 401, 200, 401, 200, 401]);
      const users = [...text.matchAll(/"userId":"(\w+)"/g)].map(([, user]) => user);
      expect(users).toEqual(['alice', 'bob', 'alice']);
    });

    it('cannot be made two of one: what two servers could read differently is refused', async () => {
      const inner = ['GET /api/me HTTP/1.1', 'Host: bank', `Cookie: ${SESSION_COOKIE}=${alice}`, '', ''].join('\r\n');
      const size = inner.length;
      const post = 'POST /api/transfer HTTP/1.1\r\nHost: bank\r\n';
      const chunk = `0\r\n\r\n${inner}`;
      const smuggled = [
        `${post}Content-Length: ${size + 5}\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}`,
        `${post}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n${chunk}`,
        `${post}Content-Length: 0\r\nContent-Length: ${size}\r\n\r\n${inner}`,
        `${post}Content-Length: 0, ${size}\r\n\r\n${inner}`,
        `${post}Content-Length: +0\r\n\r\n${inner}`,
        `${post}Content-Length: 0x0\r\n\r\n${inner}`,
        `${post}Content-Length: -1\r\n\r\n${inner}`,
        `${post}Content-Length : 0\r\n\r\n${inner}`,
        `${post}Transfer-Encoding: identity\r\n\r\n${inner}`,
        `${post}Transfer-Encoding: chunked, identity\r\n\r\n${chunk}`,
        `${post}Transfer-Encoding : chunked\r\n\r\n${chunk}`,
        `${post}Transfer-Encoding:\x0bchunked\r\n\r\n${chunk}`,
        `${post}Transfer-Encoding: xchunked\r\n\r\n${chunk}`,
        `${post}Transfer-Encoding: chunked\r\n\r\n0 \n\r\n${inner}`,
        `${post}Transfer-Encoding: chunked\r\n\r\n-0\r\n\r\n${inner}`,
        `${post}X: y\rTransfer-Encoding: chunked\r\n\r\n${chunk}`,
        `${post}X: y\n\nGET /api/me HTTP/1.1\r\n\r\n${inner}`,
      ];
      for (const bytes of smuggled) {
        const { text } = await rawBytes(bank.port, bytes, { tls });
        expect(text).not.toContain('"userId"');
        expect(backend.calls).toEqual([]);
      }
      // the same request in the open is answered: it is the smuggling that was refused
      expect(
        (await rawBytes(bank.port, inner.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'), { tls })).status,
      ).toBe(200);
    });
  });

  it('heads without end, with a thousand lines, or a line of a megabyte are cut off, and others served meanwhile', async () => {
    const lines = Array.from({ length: 3000 }, (_, i) => `X-${i}: y`);
    expectNobody(await me(...lines), 0, 400, 401, 431);
    expectNobody(await me(`Cookie: ${'x'.repeat(1_000_000)}`), 0, 431);
    expectNobody(await me(`Cookie: ${SESSION_COOKIE}=${'='.repeat(100_000)}`), 401);
    expect((await me(`Cookie: ${SESSION_COOKIE}=${alice}`)).status).toBe(200);
  });
});
