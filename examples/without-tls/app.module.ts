import { Module } from '@nestjs/common';
import { ConfigModule, ConfigService } from '@nestjs/config';
import { SessionAuthModule } from 'nestjs-session-auth';
import { UsersService } from '../quick-start/users.service.js';

@Module({
  imports: [
    ConfigModule.forRoot(),
    SessionAuthModule.forRootAsync({
      imports: [ConfigModule],
      inject: [ConfigService],
      useFactory: (config: ConfigService) => ({
        secrets: [config.getOrThrow<string>('SESSION_SECRET')],
        // DEV_WITHOUT_TLS=1 in your own .env, and nowhere else
        cookie: config.get('DEV_WITHOUT_TLS') === '1' ? { name: 'session', secure: false } : {},
      }),
      users: { useClass: UsersService },
    }),
  ],
})
export class AppModule {}
