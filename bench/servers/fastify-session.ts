import {
  Body,
  CanActivate,
  Controller,
  ExecutionContext,
  Get,
  Module,
  Post,
  Req,
  UseGuards,
  type INestApplication,
} from '@nestjs/common';
import cookie from '@fastify/cookie';
import session from '@fastify/session';
import { RedisStore } from 'connect-redis';
import { createClient } from 'redis';
import { createFastifyApp } from './nest-app.ts';
import { sessionPayload } from './session-payload.ts';
import type { ServerSpec, StoreAddresses } from './server-spec.ts';

interface SessionRequest {
  readonly session: { userId?: string; regenerate(): Promise<void> };
}

class HasUserGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return context.switchToHttp().getRequest<SessionRequest>().session.userId !== undefined;
  }
}

@Controller()
class FastifySessionController {
  @Get('me')
  @UseGuards(HasUserGuard)
  me(@Req() { session: { userId } }: SessionRequest): object {
    return { userId };
  }

  @Post('login')
  async login(@Req() request: SessionRequest, @Body('user') user: string): Promise<object> {
    await request.session.regenerate();
    Object.assign(request.session, sessionPayload(user));
    return {};
  }
}

@Module({ controllers: [FastifySessionController] })
class FastifySessionModule {}

/**
 * `@fastify/session` with the store that its README names. `rolling: false` is its cheaper setting: by default it would
 * write the cookie with every response.
 */
export async function open(_: ServerSpec, { redisUrl }: StoreAddresses): Promise<INestApplication> {
  const client = createClient({ url: redisUrl });
  await client.connect();
  const app = await createFastifyApp(FastifySessionModule);
  await app.register(cookie);
  await app.register(session, {
    secret: 'the secret of a benchmark, of more than 32 bytes',
    store: new RedisStore({ client, prefix: 'fastify:' }),
    saveUninitialized: false,
    rolling: false,
    cookie: { secure: false },
  });
  return app;
}
