import { Module, type MiddlewareConsumer, type NestModule } from '@nestjs/common';
import flash from 'connect-flash';
import { PassportCompatModule, SessionPassport } from 'nestjs-session-auth/passport';
import { visitLog } from '../../passport/visit-log.js';
import { UsersModule } from '../../quick-start/users.module.js';
import { AccountController, sessions } from './beside.js';
import { LocalStrategy } from './local.strategy.js';
import { ShopController } from './shop.controller.js';

/** Step 2: the controllers of before, on the sessions of now. No express-session, no connect-redis, no serializer. */
@Module({
  imports: [UsersModule, sessions, PassportCompatModule.register({ requestUser: 'user' })],
  controllers: [ShopController, AccountController],
  providers: [LocalStrategy],
})
export class ShopModule implements NestModule {
  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(SessionPassport, flash(), visitLog).forRoutes(ShopController);
  }
}
