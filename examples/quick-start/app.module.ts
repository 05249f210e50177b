import { Module } from '@nestjs/common';
import { SessionAuthModule } from 'nestjs-session-auth';
import { NotesController } from './notes.controller.js';
import { UsersService } from './users.service.js';

const secrets = [process.env['SESSION_SECRET']!]; // 32 random bytes or more

@Module({
  imports: [SessionAuthModule.forRoot({ secrets, users: { useClass: UsersService } })],
  controllers: [NotesController],
})
export class AppModule {}
