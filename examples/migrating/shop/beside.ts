import { Controller, Get, Module, UseGuards, type INestApplication } from '@nestjs/common';
import { CurrentUser, SessionAuthGuard, SessionAuthModule } from 'nestjs-session-auth';
import { redisStorage } from 'nestjs-session-auth/redis';
import { UsersModule } from '../../quick-start/users.module.js';
import { UsersService, type User } from '../../quick-start/users.service.js';
import * as before from './before.js';
import { REDIS, RedisModule } from './redis.module.js';

/** A part of the application that is new, or was moved: it knows the new sessions only. */
@Controller('account')
export class AccountController {
  @UseGuards(SessionAuthGuard)
  @Get()
  read(@CurrentUser() { email }: User): object {
    return { email };
  }
}

export const sessions = SessionAuthModule.forRoot({
  secrets: [process.env['SESSION_SECRET']!],
  imports: [UsersModule, RedisModule],
  users: { useExisting: UsersService },
  storage: redisStorage({ inject: REDIS, namespace: 'shop:' }),
});

/** Step 1: both side by side. Nobody is signed in to one by the other. */
@Module({ imports: [before.ShopModule, sessions], controllers: [AccountController] })
export class ShopModule {}

export function configure(app: INestApplication): void {
  before.configure(app);
}
