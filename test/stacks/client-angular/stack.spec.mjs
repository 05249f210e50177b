import 'reflect-metadata';
import '@angular/compiler';
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { HttpBackend, HttpClient, provideHttpClient, withInterceptors } from '@angular/common/http';
import { createEnvironmentInjector, PendingTasks, ɵINJECTOR_SCOPE } from '@angular/core';
import { NestFactory } from '@nestjs/core';
import { createSessionClient } from 'nestjs-session-auth/client';
import { firstValueFrom } from 'rxjs';
import { sessionInterceptor } from './examples/client-angular/session.interceptor.js';

const ADA = { email: 'ada@example.com', password: 'correct horse battery staple' };

describe('HttpClient with the interceptor of the guide', () => {
  const cookies = new Map();
  const send = globalThis.fetch;
  let app;
  let address;
  let http;
  let session;

  before(async () => {
    process.env['SESSION_SECRET'] = 'a secret of a stack that is longer than thirty-two bytes';
    const { AppModule } = await import('./examples/quick-start/app.module.js');
    app = await NestFactory.create(AppModule, { logger: ['error'] });
    await app.listen(0, '127.0.0.1');
    address = `http://127.0.0.1:${app.getHttpServer().address().port}`;
    // Node keeps no cookies
    globalThis.fetch = async (input, init) => {
      const request = new Request(input, init);
      request.headers.set('cookie', [...cookies].map((pair) => pair.join('=')).join('; '));
      const response = await send(request);
      for (const line of response.headers.getSetCookie()) {
        const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
        if (/max-age=0/i.test(line)) cookies.delete(name);
        else cookies.set(name, value);
      }
      return response;
    };
    session = createSessionClient({ path: `${address}/auth` });
    const providers = [
      { provide: ɵINJECTOR_SCOPE, useValue: 'root' },
      provideHttpClient(withInterceptors([sessionInterceptor(session)])),
      // that of a browser, which nothing comes to
      { provide: HttpBackend, useValue: { handle: () => assert.fail('asked of the backend') } },
      // nothing is rendered
      { provide: PendingTasks, useValue: { add: () => () => undefined } },
    ];
    http = createEnvironmentInjector(providers, null).get(HttpClient);
  });
  after(async () => {
    globalThis.fetch = send;
    await app?.close();
  });

  const get = (path, options) => firstValueFrom(http.get(address + path, options));
  const post = (path, body, options) => firstValueFrom(http.post(address + path, body, options));

  it('fails as HttpClient does, with status and body', async () => {
    await assert.rejects(get('/auth/session'), ({ name, status, error }) => {
      assert.deepEqual([name, status, error.code], ['HttpErrorResponse', 401, 'session_required']);
      return true;
    });
  });

  it('sends JSON with the token, and reads JSON, text and nothing', async () => {
    const answer = await post('/auth/login', ADA);
    assert.equal(answer.user.email, ADA.email);
    // the token of before the login: a new one is taken, and the request sent again
    assert.equal((await post('/auth/reauthenticate', { password: ADA.password })).user.id, answer.user.id);
    const read = await get('/auth/session', { observe: 'response' });
    assert.deepEqual([read.status, read.body.email, read.headers.get('cache-control')], [200, ADA.email, 'no-store']);
    assert.match(await get('/auth/csrf', { responseType: 'text' }), /^{"csrfToken":/);
    assert.deepEqual(await get('/auth/sessions', { params: { limit: 1 } }).then((list) => list.length), 1);
    assert.equal(await post('/auth/logout', null), null);
    await assert.rejects(get('/auth/session'), { status: 401 });
  });

  it('has status 0 where there is no answer, and is cancelled by its subscriber', async () => {
    await assert.rejects(firstValueFrom(http.get('http://127.0.0.1:1/')), { name: 'HttpErrorResponse', status: 0 });
    let signal;
    const replaced = globalThis.fetch;
    globalThis.fetch = (request) => {
      ({ signal } = request);
      return new Promise(() => undefined);
    };
    const subscription = http.get(`${address}/auth/csrf`).subscribe();
    await new Promise((resolve) => setImmediate(resolve));
    subscription.unsubscribe();
    globalThis.fetch = replaced;
    assert.equal(signal.aborted, true);
  });
});
