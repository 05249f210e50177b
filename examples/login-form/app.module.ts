import { Module } from '@nestjs/common';
import { SessionAuthModule } from 'nestjs-session-auth';
import { UsersService } from '../quick-start/users.service.js';
import { LoginController } from './login.controller.js';

@Module({
  imports: [
    SessionAuthModule.forRoot({
      secrets: [process.env['SESSION_SECRET']!],
      users: { useClass: UsersService },
      endpoints: {
        loginField: 'username',
        redirects: { login: '/account', loginFailed: '/login', logout: '/login' },
      },
    }),
  ],
  controllers: [LoginController],
})
export class AppModule {}
