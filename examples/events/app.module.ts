import { Module } from '@nestjs/common';
import { EventEmitterModule } from '@nestjs/event-emitter';
import { SessionAuthModule } from 'nestjs-session-auth';
import { UsersModule } from '../quick-start/users.module.js';
import { UsersService } from '../quick-start/users.service.js';
import { MailNotifier } from './mail-notifier.js';
import { Mailer } from './mailer.js';
import { SecurityAlerts } from './security-alerts.js';

@Module({ providers: [Mailer, MailNotifier], exports: [Mailer, MailNotifier] })
export class MailModule {}

@Module({
  imports: [
    EventEmitterModule.forRoot({ wildcard: true }),
    MailModule,
    SessionAuthModule.forRoot({
      secrets: [process.env['SESSION_SECRET']!],
      imports: [UsersModule, MailModule],
      users: { useExisting: UsersService },
      notifier: { useExisting: MailNotifier },
    }),
  ],
  providers: [SecurityAlerts],
})
export class AppModule {}
