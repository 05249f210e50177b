import { Controller, Get, Inject, Query, Redirect, Req, UnauthorizedException } from '@nestjs/common';
import { Public, SessionAuthService } from 'nestjs-session-auth';
import { IdentityProvider } from './identity-provider.js';

@Controller('sso')
export class SingleSignOnController {
  constructor(
    @Inject(SessionAuthService) private readonly auth: SessionAuthService,
    @Inject(IdentityProvider) private readonly provider: IdentityProvider,
  ) {}

  @Public()
  @Get('callback')
  @Redirect('/')
  async callback(@Req() request: object, @Query() answer: Record<string, string>): Promise<void> {
    const login = await this.provider.loginOf(answer);
    if (login === undefined) throw new UnauthorizedException();
    const { user, sid, authenticatedAt } = login;
    const upstream = sid === undefined ? undefined : { sid };
    await this.auth.loginUser(request, user, 'custom', { authenticatedAt, upstream });
  }
}
