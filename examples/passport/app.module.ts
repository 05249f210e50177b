import { Module, type MiddlewareConsumer, type NestModule } from '@nestjs/common';
import flash from 'connect-flash';
import { SessionAuthModule } from 'nestjs-session-auth';
import { PassportCompatModule, SessionPassport } from 'nestjs-session-auth/passport';
import { UsersModule } from '../quick-start/users.module.js';
import { UsersService } from '../quick-start/users.service.js';
import { LocalStrategy } from './local.strategy.js';
import { ProviderStrategy } from './provider.strategy.js';
import { SignInController } from './sign-in.controller.js';
import { visitLog } from './visit-log.js';

const secrets = [process.env['SESSION_SECRET']!];

@Module({
  imports: [
    UsersModule,
    SessionAuthModule.forRoot({ secrets, imports: [UsersModule], users: { useExisting: UsersService } }),
    PassportCompatModule.register({ requestUser: 'user' }),
  ],
  controllers: [SignInController],
  providers: [LocalStrategy, ProviderStrategy],
})
export class AppModule implements NestModule {
  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(SessionPassport, flash(), visitLog).forRoutes(SignInController);
  }
}
