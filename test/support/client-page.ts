import { Controller, Get, Header, HttpCode, Inject, Post, Redirect, Req, UseGuards } from '@nestjs/common';
import { build } from 'esbuild';
import {
  CsrfProtected,
  CurrentSession,
  Public,
  RequireFactor,
  SessionAuthGuard,
  SessionAuthService,
} from 'nestjs-session-auth';
import type { Page } from 'playwright-core';
import { addressOf } from './bank-pages.js';
import type { Bank } from './bank.js';

/** Bundles modules for a browser, and returns the text. */
export async function bundle(...files: readonly string[]): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: files.map((file) => `export * from './${file}';`).join('\n'), resolveDir: process.cwd() },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    define: { 'process.env.NODE_ENV': '"production"' },
    alias: { 'nestjs-session-auth/client': './libs/session-auth/src/client/index.ts' },
  });
  return outputFiles[0]!.text;
}

const CLIENT = await bundle('libs/session-auth/src/client/index.ts');

const HOOKS = [
  'sessionRequired',
  'recentAuthenticationRequired',
  'furtherFactorRequired',
  'tooManyAttempts',
  'login',
  'logout',
  'expiring',
];

/** `client` with hooks that write to `heard` and return what `answers` does; `openClient(options)` makes another. */
const PAGE = `<!doctype html><html lang="en"><title>A page with the client</title><link rel="icon" href="data:,">
<script type="module">
import { createSessionClient } from '/client-page/client.js';
globalThis.send = fetch.bind(globalThis);
globalThis.heard = [];
globalThis.answers = {};
globalThis.openClient = (options = {}) => createSessionClient({
  ...options,
  on: Object.fromEntries(${JSON.stringify(HOOKS)}.map((hook) => [hook, (argument) => {
    heard.push([options.path ?? '/auth', hook, argument]);
    return answers[hook]?.(argument);
  }])),
});
globalThis.client = openClient();
globalThis.post = (path, body = {}, more = {}) =>
  client.fetch(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body), ...more });
globalThis.statusOf = (asked) => asked.then(({ status }) => status, (error) => error.code ?? error.name);
</script>`;

/** Where a page leads its requests: the address of another origin. */
export const ELSEWHERE = { address: '' };

/** A page with the client, and what it asks for beside the bank's routes. */
@Controller('client-page')
export class ClientPageController {
  /** What `POST echo` was sent, in order. */
  static readonly bodies: string[] = [];

  constructor(@Inject(SessionAuthService) private readonly auth: SessionAuthService) {}

  @Public()
  @Get()
  @Header('content-type', 'text/html')
  page(): string {
    return PAGE;
  }

  @Public()
  @Get('client.js')
  @Header('content-type', 'text/javascript')
  script(): string {
    return CLIENT;
  }

  /** A page that a browser keeps when it is left: nothing of it depends on who asks. */
  @Public()
  @Get('elsewhere')
  @Header('content-type', 'text/html')
  elsewhere(): string {
    return '<!doctype html><title>Elsewhere</title>';
  }

  @CsrfProtected()
  @Post('echo')
  @HttpCode(200)
  echo(@Req() request: { body?: unknown }): unknown {
    return request.body;
  }

  @UseGuards(SessionAuthGuard)
  @CsrfProtected()
  @RequireFactor('totp')
  @Post('with-factor')
  withFactor(@CurrentSession('userId') userId: string): object {
    return { userId };
  }

  @UseGuards(SessionAuthGuard)
  @CsrfProtected()
  @Post('factor')
  async factor(@Req() request: object): Promise<void> {
    await this.auth.factorCompleted(request, 'totp');
  }

  @Public()
  @CsrfProtected()
  @Post('led-away')
  @Redirect()
  ledAway(): object {
    return { url: ELSEWHERE.address, statusCode: 307 };
  }

  @Public()
  @CsrfProtected()
  @Post('led-on')
  @Redirect('/client-page/echo', 307)
  ledOn(): void {}

  @Public()
  @Get('led-away')
  @Redirect()
  getLedAway(): object {
    return { url: ELSEWHERE.address, statusCode: 302 };
  }
}

/** Opens the page in a tab. */
export async function openClientPage(page: Page, bank: Bank): Promise<void> {
  await page.goto(`${addressOf(bank)}/client-page`);
  await page.waitForFunction('globalThis.statusOf !== undefined');
}

/** What an expression of the page's globals comes to. */
export function inPage<T>(page: Page, expression: string): Promise<T> {
  return page.evaluate<T>(`(async () => (${expression}))()`);
}

/** The hooks that were called since the last look, each with the path of its client where that is not `/auth`. */
export async function heard(page: Page): Promise<string[]> {
  const calls = await inPage<[string, string][]>(page, 'heard.splice(0)');
  return calls.map(([path, hook]) => (path === '/auth' ? hook : `${path} ${hook}`));
}

/** An expression that logs one of the demo's users in. */
export function loginOf(name: string, client = 'client'): string {
  return `${client}.login({ email: '${name}@example.com', password: '${name}-demo-password' })`;
}
