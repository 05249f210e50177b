import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { SessionAuthModule } from 'nestjs-session-auth';
import { UsersService } from '../quick-start/users.service.js';
import { HealthController } from './health.controller.js';

@Module({
  imports: [
    SessionAuthModule.forRoot({
      secrets: [process.env['SESSION_SECRET']!],
      users: { useClass: UsersService },
    }),
    TerminusModule,
  ],
  controllers: [HealthController],
})
export class AppModule {}
