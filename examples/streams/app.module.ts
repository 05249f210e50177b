import { Module } from '@nestjs/common';
import { SessionAuthModule } from 'nestjs-session-auth';
import { UsersService } from '../quick-start/users.service.js';
import { ReportsController } from './reports.controller.js';
import { Transfers } from './transfers.js';
import { TransfersController } from './transfers.controller.js';

const secrets = [process.env['SESSION_SECRET']!];

@Module({
  imports: [SessionAuthModule.forRoot({ secrets, users: { useClass: UsersService } })],
  controllers: [TransfersController, ReportsController],
  providers: [Transfers],
})
export class AppModule {}
