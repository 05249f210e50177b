import { Controller, Get, Header, UseGuards } from '@nestjs/common';
import { CurrentSession, EmbeddingGuard, SessionAuthGuard } from 'nestjs-session-auth';

@Controller('statements')
@UseGuards(SessionAuthGuard, EmbeddingGuard)
export class StatementsController {
  @Get('latest.csv')
  @Header('content-type', 'text/csv')
  latest(@CurrentSession('userId') userId: string): string {
    return `account,balance\n${userId},42`;
  }
}
