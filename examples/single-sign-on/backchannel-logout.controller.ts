import { BadRequestException, Body, Controller, Header, HttpCode, Inject, Post } from '@nestjs/common';
import { CsrfExempt, Public, SessionLifecycleService } from 'nestjs-session-auth';
import { IdentityProvider } from './identity-provider.js';

@Controller('sso')
export class BackchannelLogoutController {
  constructor(
    @Inject(SessionLifecycleService) private readonly sessions: SessionLifecycleService,
    @Inject(IdentityProvider) private readonly provider: IdentityProvider,
  ) {}

  /** Called by the provider's server, which has no cookie: the signed token is the proof. */
  @Public()
  @CsrfExempt()
  @Post('backchannel-logout')
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  async logout(@Body('logout_token') token: unknown): Promise<void> {
    const logout = typeof token === 'string' ? await this.provider.logoutOf(token) : undefined;
    if (logout === undefined) throw new BadRequestException({ error: 'invalid_request' });
    const { userId, sid } = logout;
    if (sid === undefined) await this.sessions.revokeAll(userId, 'upstream_logout');
    else await this.sessions.revokeUpstream(userId, { sid });
  }
}
