import { Body, Controller, Get, Post, UseGuards } from '@nestjs/common';
import { CsrfProtected, CurrentSession, CurrentUser, type Session, SessionAuthGuard } from 'nestjs-session-auth';
import type { User } from './users.service.js';

interface Notes {
  lastNote: string;
}

@Controller('notes')
@UseGuards(SessionAuthGuard)
export class NotesController {
  @Get()
  read(@CurrentUser() user: User, @CurrentSession() session: Session<Notes>): object {
    return { author: user.email, lastNote: session.data.lastNote };
  }

  @Post()
  @CsrfProtected()
  async write(@CurrentSession() session: Session<Notes>, @Body('text') text: string): Promise<void> {
    await session.update({ lastNote: text });
  }
}
