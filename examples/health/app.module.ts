import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { SessionAuthModule } from 'nestjs-session-auth';
import { UsersModule } from '../quick-start/users.module.js';
import { UsersService } from '../quick-start/users.service.js';
import { HealthController } from './health.controller.js';

@Module({
  imports: [
    SessionAuthModule.forRoot({
      secrets: [process.env['SESSION_SECRET']!],
      imports: [UsersModule],
      users: { useExisting: UsersService },
    }),
    TerminusModule,
  ],
  controllers: [HealthController],
})
export class AppModule {}
