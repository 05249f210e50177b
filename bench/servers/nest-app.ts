import type { INestApplication, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter, type NestExpressApplication } from '@nestjs/platform-express';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { ServerSpec } from './server-spec.ts';

/** A Nest application with nothing in it but a module, on the adapter asked for. */
export function createApp(module: Type, adapter: ServerSpec['adapter']): Promise<INestApplication> {
  return adapter === 'express' ? createExpressApp(module) : createFastifyApp(module);
}

export function createExpressApp(module: Type): Promise<NestExpressApplication> {
  return NestFactory.create<NestExpressApplication>(module, new ExpressAdapter(), { logger: false });
}

export function createFastifyApp(module: Type): Promise<NestFastifyApplication> {
  return NestFactory.create<NestFastifyApplication>(module, new FastifyAdapter(), { logger: false });
}

/** The value of a cookie as the request sent it. */
export function cookieOf(request: { readonly headers: { readonly cookie?: string } }, name: string): string {
  const { cookie = '' } = request.headers;
  const start = cookie.indexOf(`${name}=`) + name.length + 1;
  const end = cookie.indexOf(';', start);
  return cookie.slice(start, end === -1 ? undefined : end);
}
