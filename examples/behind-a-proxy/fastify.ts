import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule } from './app.module.js';

export async function createApp(): Promise<NestFastifyApplication> {
  const adapter = new FastifyAdapter({ trustProxy: ['127.0.0.1', '10.0.0.0/8'] }); // where the proxies are
  return NestFactory.create<NestFastifyApplication>(AppModule, adapter);
}
