import { Body, Controller, Get, Inject, Module, Post, Req, Res, type INestApplication } from '@nestjs/common';
import { Redis } from 'ioredis';
import { randomUUID } from 'node:crypto';
import { cookieOf, createApp } from './nest-app.ts';
import { sessionPayload } from './session-payload.ts';
import type { ServerSpec, StoreAddresses } from './server-spec.ts';

type Replying = { header(name: string, value: string): unknown };

@Controller()
class RedisGetController {
  constructor(@Inject(Redis) private readonly redis: Redis) {}

  @Get('me')
  async me(@Req() request: { headers: { cookie?: string } }): Promise<object> {
    const json = await this.redis.get(`bare:${cookieOf(request, 'sid')}`);
    return { userId: (JSON.parse(json!) as { userId: string }).userId };
  }

  @Post('login')
  async login(@Body('user') user: string, @Res({ passthrough: true }) response: Replying): Promise<object> {
    const id = randomUUID();
    await this.redis.set(`bare:${id}`, JSON.stringify(sessionPayload(user)), 'EX', 3600);
    response.header('set-cookie', `sid=${id}`);
    return {};
  }
}

/** The practical limit of a session in Redis: one GET in the handler, no cookie checked, nothing prolonged. */
export function open({ adapter }: ServerSpec, { redisUrl }: StoreAddresses): Promise<INestApplication> {
  @Module({
    controllers: [RedisGetController],
    providers: [{ provide: Redis, useFactory: () => new Redis(redisUrl) }],
  })
  class RedisGetModule {}
  return createApp(RedisGetModule, adapter);
}
