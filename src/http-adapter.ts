import type { AbstractHttpAdapter } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { HttpAdapterName } from './config/bank-config.js';

/**
 * The HTTP adapter of a name. The bank is the same on both.
 *
 * @param trustProxy whether `X-Forwarded-For` tells the client's address; only behind a proxy that sets it
 */
export function makeHttpAdapter(name: HttpAdapterName, trustProxy = false): AbstractHttpAdapter {
  if (name === 'fastify') return new FastifyAdapter({ trustProxy });
  const express = new ExpressAdapter();
  express.set('trust proxy', trustProxy);
  return express;
}
