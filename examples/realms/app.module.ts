import { Module } from '@nestjs/common';
import { SessionAuthModule } from 'nestjs-session-auth';
import { OfficeController } from './office.controller.js';
import { Customers, Staff } from './people.js';

const secrets = [process.env['SESSION_SECRET']!];

@Module({
  imports: [
    SessionAuthModule.forRoot({ secrets, users: { useClass: Customers } }),
    SessionAuthModule.forRoot({
      realm: 'staff',
      secrets,
      users: { useClass: Staff },
      lifetime: 'nistAal2',
      concurrency: 1,
    }),
  ],
  controllers: [OfficeController],
})
export class AppModule {}
