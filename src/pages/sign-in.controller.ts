import { Body, Get, Inject, Post, Query, Req, Res, UseGuards } from '@nestjs/common';
import {
  CsrfProtected,
  CsrfService,
  CurrentSession,
  Public,
  SessionAuthGuard,
  SessionAuthService,
} from 'nestjs-session-auth';
import { fieldOf } from './form.js';
import { LastSession } from './last-session.js';
import { ownPath, SeeOther, type PageAnswer } from './page.js';
import { PageController } from './page.controller.js';
import { refusedForm } from './refused-form.js';
import { confirmPage, homePage, loginPage } from './sign-in.views.js';
import { BANK_SITE } from './site.js';

/** The way in and out. */
@PageController()
@UseGuards(SessionAuthGuard)
export class SignInController {
  constructor(
    @Inject(SessionAuthService) private readonly auth: SessionAuthService,
    @Inject(CsrfService) private readonly csrf: CsrfService,
    @Inject(LastSession) private readonly lastSession: LastSession,
  ) {}

  @Public()
  @Get()
  home(@CurrentSession('userId') userId: string | undefined): PageAnswer {
    return homePage(userId !== undefined);
  }

  @Public()
  @Get('login')
  loginForm(
    @CurrentSession('userId') userId: string | undefined,
    @Req() request: object,
    @Res({ passthrough: true }) response: object,
    @Query() query: unknown,
  ): PageAnswer {
    const next = nextOf(query);
    if (userId !== undefined) return new SeeOther(next);
    const lastEnd = this.lastSession.takeEnd(request, response);
    const end = fieldOf(query, 'because') === 'logout' ? 'logout' : lastEnd;
    return loginPage({ csrfField: this.csrf.formField(request), next, end });
  }

  @Public()
  @CsrfProtected()
  @Post('login')
  async login(@Req() request: object, @Body() body: unknown): Promise<PageAnswer> {
    const [email, password] = [fieldOf(body, 'email').trim(), fieldOf(body, 'password')];
    const rememberMe = fieldOf(body, 'rememberMe') === 'yes';
    const next = nextOf(body);
    try {
      await this.auth.login(request, { email, password }, { rememberMe });
      return new SeeOther(next);
    } catch (error) {
      return refusedForm(error, 'E-mail or password is wrong.', (problem) =>
        loginPage({ csrfField: this.csrf.formField(request), next, email, rememberMe, problem }),
      );
    }
  }

  @Public()
  @CsrfProtected({ withoutSession: 'headers' })
  @Post('logout')
  async logout(@Req() request: object): Promise<PageAnswer> {
    await this.auth.logout(request);
    // the next page cannot always tell by a cookie: with one realm, browsers are told to forget all cookies
    return new SeeOther('/login?because=logout');
  }

  @Get('confirm')
  confirmForm(@Req() request: object, @Query() query: unknown): PageAnswer {
    return confirmPage({ csrfField: this.csrf.formField(request), next: nextOf(query) });
  }

  @Public()
  @CsrfProtected()
  @Post('confirm')
  async confirm(@Req() request: object, @Body() body: unknown): Promise<PageAnswer> {
    const next = nextOf(body);
    try {
      await this.auth.reauthenticate(request, { password: fieldOf(body, 'password') });
      return new SeeOther(next);
    } catch (error) {
      return refusedForm(error, 'This is not your password.', (problem) =>
        confirmPage({ csrfField: this.csrf.formField(request), next, problem }),
      );
    }
  }
}

/** Where a form leads once it was accepted. */
function nextOf(fields: unknown): string {
  return ownPath(fieldOf(fields, 'next'), BANK_SITE.home);
}
