import { Module } from '@nestjs/common';
import { SessionAuthModule } from 'nestjs-session-auth';
import { UsersService } from '../quick-start/users.service.js';
import { DevicesController } from './devices.controller.js';
import { PaymentsController } from './payments.controller.js';

@Module({
  imports: [
    SessionAuthModule.forRoot({
      secrets: [process.env['SESSION_SECRET']!],
      users: { useClass: UsersService },
      rememberMe: { lifetime: '60d', reuseGrace: '10s' },
    }),
  ],
  controllers: [DevicesController, PaymentsController],
})
export class AppModule {}
