import { Inject, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { ServerResponse } from 'node:http';
import { askForFinalHeaders } from './final-headers.js';
import { findRequestSession } from './request-sessions.js';

/** Has the responses of an Express application ask for their final headers. */
export class ExpressResponses implements OnModuleInit {
  constructor(@Inject(HttpAdapterHost) private readonly host: HttpAdapterHost | undefined) {}

  onModuleInit(): void {
    const adapter = this.host?.httpAdapter;
    if (adapter?.getType() !== 'express') return;
    const { response } = adapter.getInstance<{ readonly response?: ServerResponse }>();
    if (response !== undefined)
      askForFinalHeaders(response, ({ req }) => findRequestSession(req)?.exchange.finalHeaders);
  }
}
