import { Module } from '@nestjs/common';
import { SessionAuthModule } from 'nestjs-session-auth';
import { UsersModule } from '../quick-start/users.module.js';
import { UsersService } from '../quick-start/users.service.js';
import { LoginController } from './login.controller.js';

@Module({
  imports: [
    SessionAuthModule.forRoot({
      secrets: [process.env['SESSION_SECRET']!],
      imports: [UsersModule],
      users: { useExisting: UsersService },
      endpoints: {
        loginField: 'username',
        redirects: { login: '/account', loginFailed: '/login', logout: '/login' },
      },
    }),
  ],
  controllers: [LoginController],
})
export class AppModule {}
