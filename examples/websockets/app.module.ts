import { Module } from '@nestjs/common';
import { SessionAuthModule } from 'nestjs-session-auth';
import { UsersService } from '../quick-start/users.service.js';
import { OrdersGateway } from './orders.gateway.js';

const secrets = [process.env['SESSION_SECRET']!];

@Module({
  imports: [SessionAuthModule.forRoot({ secrets, users: { useClass: UsersService } })],
  providers: [OrdersGateway],
})
export class AppModule {}
