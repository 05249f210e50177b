import { Module } from '@nestjs/common';
import { SessionAuthModule } from 'nestjs-session-auth';
import { NotesController } from './notes.controller.js';
import { UsersModule } from './users.module.js';
import { UsersService } from './users.service.js';

@Module({
  imports: [
    SessionAuthModule.forRoot({
      secrets: [process.env['SESSION_SECRET']!], // openssl rand -base64 32
      imports: [UsersModule],
      users: { useExisting: UsersService },
    }),
  ],
  controllers: [NotesController],
})
export class AppModule {}
