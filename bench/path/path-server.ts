import { Controller, Get, HttpCode, Module, Post, UseGuards, type INestApplication } from '@nestjs/common';
import { Redis } from 'ioredis';
import {
  BcryptPasswordHasher,
  CsrfProtected,
  CurrentSession,
  SessionAuthGuard,
  SessionAuthModule,
  type AuditLog,
  type Session,
  type SessionUser,
  type SessionUserProvider,
} from 'nestjs-session-auth';
import { redisStorage } from 'nestjs-session-auth/redis';
import { createFastifyApp } from '../servers/nest-app.ts';

/** The only account, and its password. */
export const CREDENTIALS = { email: 'user@example.com', password: 'not what is counted' };

@Controller()
class PathController {
  @Get('me')
  @UseGuards(SessionAuthGuard)
  me(@CurrentSession() { userId }: Session): object {
    return { userId };
  }

  @Post('act')
  @HttpCode(200)
  @UseGuards(SessionAuthGuard)
  @CsrfProtected()
  act(@CurrentSession() { userId }: Session): object {
    return { userId };
  }
}

/** The library with its defaults and its login endpoint, on Fastify and Redis. The audit log does nothing. */
export async function openPathServer(redis: Redis): Promise<INestApplication> {
  // the cheapest: what is counted does not depend on it
  const hasher = new BcryptPasswordHasher(4);
  const passwordHash = await hasher.hash(CREDENTIALS.password);
  const user: SessionUser = { id: 1, email: CREDENTIALS.email, roles: ['customer'], passwordHash };
  const users: SessionUserProvider = { findByEmail: async () => user, findById: async () => user };
  const audit: AuditLog = { record: () => undefined };

  @Module({
    imports: [
      SessionAuthModule.forRoot({
        secrets: ['the secret of a benchmark, of more than 32 bytes'],
        users: { useValue: users },
        passwords: { useValue: hasher },
        storage: { ...redisStorage({ client: redis }), audit: { useValue: audit } },
      }),
    ],
    controllers: [PathController],
  })
  class PathModule {}
  return createFastifyApp(PathModule);
}
