import { Module, type MiddlewareConsumer, type NestModule } from '@nestjs/common';
import flash from 'connect-flash';
import { SessionAuthModule } from 'nestjs-session-auth';
import { PassportCompatModule, SessionPassport } from 'nestjs-session-auth/passport';
import { UsersModule } from '../quick-start/users.module.js';
import { UsersService } from '../quick-start/users.service.js';
import { AccountController } from './account.controller.js';
import { LocalStrategy } from './local.strategy.js';
import { LoginController } from './login.controller.js';
import { ProviderController } from './provider.controller.js';
import { ProviderStrategy } from './provider.strategy.js';
import { visitLog } from './visit-log.js';

const secrets = [process.env['SESSION_SECRET']!];
const controllers = [LoginController, ProviderController, AccountController];

@Module({
  imports: [
    UsersModule,
    SessionAuthModule.forRoot({ secrets, imports: [UsersModule], users: { useExisting: UsersService } }),
    PassportCompatModule.register({ requestUser: 'user' }),
  ],
  controllers,
  providers: [LocalStrategy, ProviderStrategy],
})
export class AppModule implements NestModule {
  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(SessionPassport, flash(), visitLog).forRoutes(...controllers);
  }
}
