import { Controller, HttpCode, Inject, Param, Post, UseGuards } from '@nestjs/common';
import {
  CsrfProtected,
  RequireRecentAuth,
  Roles,
  SessionAuthGuard,
  SessionLifecycleService,
} from 'nestjs-session-auth';

@Controller('breach')
@UseGuards(SessionAuthGuard)
@Roles('admin')
@RequireRecentAuth('10m')
@CsrfProtected()
export class BreachController {
  constructor(@Inject(SessionLifecycleService) private readonly sessions: SessionLifecycleService) {}

  /** Signs everybody out, including the caller. */
  @Post()
  @HttpCode(204)
  async endEverySession(): Promise<void> {
    await this.sessions.endEverySession();
  }

  /** Ends what began before the hole was closed. */
  @Post('before/:date')
  @HttpCode(204)
  async endSessionsBefore(@Param('date') date: string): Promise<void> {
    await this.sessions.endSessionsBefore(new Date(date));
  }
}
