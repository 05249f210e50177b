import {
  Body,
  CanActivate,
  Controller,
  ExecutionContext,
  Get,
  Module,
  Post,
  Req,
  Res,
  UseGuards,
  type INestApplication,
} from '@nestjs/common';
import { redisStorage } from '@better-auth/redis-storage';
import { betterAuth } from 'better-auth';
import { memoryAdapter } from 'better-auth/adapters/memory';
import { fromNodeHeaders } from 'better-auth/node';
import { Redis } from 'ioredis';
import { createApp } from './nest-app.ts';
import type { ServerSpec, StoreAddresses } from './server-spec.ts';

interface AuthRequest {
  readonly headers: object;
  userId?: string;
}

type Replying = { header(name: string, value: string[]): unknown };

const PASSWORD = 'not what is measured';

/** better-auth's `getSession` behind a Nest guard, sessions in Redis as secondary storage, accounts in memory. */
export function open({ adapter }: ServerSpec, { redisUrl }: StoreAddresses): Promise<INestApplication> {
  const auth = betterAuth({
    baseURL: 'http://localhost',
    secret: 'the secret of a benchmark, of more than 32 bytes',
    database: memoryAdapter({ user: [], session: [], account: [], verification: [] }),
    secondaryStorage: redisStorage({ client: new Redis(redisUrl) }),
    emailAndPassword: {
      enabled: true,
      password: { hash: (password) => Promise.resolve(password), verify: () => Promise.resolve(true) },
    },
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
  });

  class BetterAuthGuard implements CanActivate {
    async canActivate(context: ExecutionContext): Promise<boolean> {
      const request = context.switchToHttp().getRequest<AuthRequest>();
      const session = await auth.api.getSession({ headers: fromNodeHeaders(request.headers) });
      request.userId = session?.user.email;
      return session !== null;
    }
  }

  @Controller()
  class BetterAuthController {
    @Get('me')
    @UseGuards(BetterAuthGuard)
    me(@Req() { userId }: AuthRequest): object {
      return { userId };
    }

    @Post('login')
    async login(@Body('user') user: string, @Res({ passthrough: true }) response: Replying): Promise<object> {
      const email = `${user}@example.com`;
      const answer = await auth.api.signUpEmail({ body: { email, password: PASSWORD, name: user }, asResponse: true });
      response.header('set-cookie', answer.headers.getSetCookie());
      return {};
    }
  }

  @Module({ controllers: [BetterAuthController] })
  class BetterAuthModule {}
  return createApp(BetterAuthModule, adapter);
}
