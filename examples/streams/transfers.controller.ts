import { Controller, Get, Inject, Sse, UseGuards, type MessageEvent } from '@nestjs/common';
import { CurrentSession, SessionAuthGuard, type Session } from 'nestjs-session-auth';
import { filter, map, type Observable } from 'rxjs';
import { Transfers, type Transfer } from './transfers.js';

@UseGuards(SessionAuthGuard)
@Controller('transfers')
export class TransfersController {
  constructor(@Inject(Transfers) private readonly transfers: Transfers) {}

  @Sse('events')
  events(@CurrentSession('userId') userId: string): Observable<MessageEvent> {
    return this.transfers.all.pipe(
      filter(({ to }) => to === userId),
      map((data) => ({ type: 'transfer', data })),
    );
  }

  /** Responds when there is a transfer, or with 401 if the session ends before that. */
  @Get('next')
  next(@CurrentSession() { userId, signal }: Session): Promise<Transfer> {
    return this.transfers.next(userId!, signal);
  }
}
