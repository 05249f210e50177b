import { Module } from '@nestjs/common';
import { ConfigModule, ConfigService } from '@nestjs/config';
import { SessionAuthModule } from 'nestjs-session-auth';
import { UsersService } from '../quick-start/users.service.js';

@Module({
  imports: [
    ConfigModule.forRoot(), // reads .env
    SessionAuthModule.forRootAsync({
      imports: [ConfigModule],
      inject: [ConfigService],
      useFactory: (config: ConfigService) => ({
        secrets: [config.getOrThrow<string>('SESSION_SECRET')],
      }),
      users: { useClass: UsersService },
    }),
  ],
})
export class AppModule {}
