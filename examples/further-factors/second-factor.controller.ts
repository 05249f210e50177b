import { Body, Controller, HttpCode, Inject, Post, Req, UnauthorizedException, UseGuards } from '@nestjs/common';
import { CsrfProtected, CsrfService, CurrentSession, SessionAuthGuard, SessionAuthService } from 'nestjs-session-auth';
import { OneTimeCodes } from './one-time-codes.js';

@Controller('second-factor')
@UseGuards(SessionAuthGuard)
export class SecondFactorController {
  constructor(
    @Inject(SessionAuthService) private readonly auth: SessionAuthService,
    @Inject(CsrfService) private readonly csrf: CsrfService,
    @Inject(OneTimeCodes) private readonly codes: OneTimeCodes,
  ) {}

  @Post('totp')
  @HttpCode(200)
  @CsrfProtected()
  async totp(
    @Req() request: object,
    @CurrentSession('userId') userId: string,
    @Body('code') code: unknown,
  ): Promise<object> {
    const isRight = typeof code === 'string' && (await this.codes.accept(userId, code));
    if (!isRight) throw new UnauthorizedException();
    await this.auth.factorCompleted(request, 'totp');
    return { csrfToken: this.csrf.issue(request) };
  }
}
