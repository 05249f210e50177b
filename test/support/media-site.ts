import { readFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import {
  Controller,
  Get,
  Header,
  HttpCode,
  Inject,
  Post,
  Redirect,
  Req,
  Res,
  StreamableFile,
  UseGuards,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { CsrfProtected, CsrfService, SessionAuthGuard } from 'nestjs-session-auth';

const CLIP = readFileSync(join(import.meta.dirname, '../browser/clip.webm'));

const WORKER = `
addEventListener('install', () => skipWaiting());
addEventListener('activate', (event) => event.waitUntil(clients.claim()));
addEventListener('fetch', (event) => event.respondWith(fetch(event.request)));
`;

/** A request as far as browsers differ in it. */
export interface SeenRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

/** Pages of everything that a browser loads, all of it for signed-in users only. */
@Controller('media')
@UseGuards(SessionAuthGuard)
export class MediaController {
  /** What has come in, in order. */
  readonly seen: SeenRequest[] = [];

  constructor(
    @Inject(CsrfService) private readonly csrf: CsrfService,
    @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost,
  ) {}

  @Get('page')
  @Header('content-type', 'text/html')
  page(@Req() request: object): string {
    this.#see(request);
    return `<!doctype html><title>Media</title><link rel="manifest" href="/media/manifest.json">
<img id="picture" src="/media/picture.svg" alt=""><video id="clip" src="/media/clip.webm" preload="auto" muted></video>
<form method="post" action="/media/form">${this.csrf.formField(request)}<button>Send</button></form>`;
  }

  @Get('picture.svg')
  @Header('content-type', 'image/svg+xml')
  picture(@Req() request: object): string {
    this.#see(request);
    return '<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><rect width="10" height="10"/></svg>';
  }

  @Get('manifest.json')
  manifest(@Req() request: object): object {
    this.#see(request);
    return { name: 'Media' };
  }

  @Get('worker.js')
  @Header('content-type', 'text/javascript')
  worker(@Req() request: object): string {
    this.#see(request);
    return WORKER;
  }

  @Get('data')
  data(@Req() request: object): object {
    this.#see(request);
    return { ok: true };
  }

  @Get('clip.webm')
  clip(@Req() request: object, @Res({ passthrough: true }) response: object): StreamableFile {
    const { range = '' } = this.#see(request);
    const [, from = '0', to = ''] = /^bytes=(\d+)-(\d*)$/.exec(range) ?? [];
    const part = CLIP.subarray(Number(from), to === '' ? undefined : Number(to) + 1);
    const adapter = this.host.httpAdapter;
    adapter.setHeader(response, 'Accept-Ranges', 'bytes');
    if (range !== '') {
      adapter.status(response, 206);
      const last = Number(from) + part.length - 1;
      adapter.setHeader(response, 'Content-Range', `bytes ${from}-${last}/${CLIP.length}`);
    }
    return new StreamableFile(part, { type: 'video/webm', length: part.length });
  }

  @CsrfProtected()
  @Post('form')
  @Redirect('/media/data', 303)
  form(@Req() request: object): void {
    this.#see(request);
  }

  @CsrfProtected()
  @Post('data')
  @HttpCode(200)
  write(@Req() request: object): object {
    this.#see(request);
    return { ok: true };
  }

  #see(request: object): IncomingHttpHeaders {
    const { url, headers } = request as { readonly url: string; readonly headers: IncomingHttpHeaders };
    this.seen.push({ path: url, headers });
    return headers;
  }
}
