import { Body, Get, Inject, Post, Req, UseGuards } from '@nestjs/common';
import { CsrfProtected, CsrfService, Public, SessionAuthGuard } from 'nestjs-session-auth';
import { ChangePasswordDto } from '../banking/change-password.dto.js';
import { PasswordChange } from '../banking/password-change.js';
import { alert, checkForm, field, fieldOf, type Problems } from './form.js';
import { html, trustedHtml } from './html.js';
import { SeeOther, type PageAnswer, type PageContent } from './page.js';
import { PageController } from './page.controller.js';
import { refusedForm } from './refused-form.js';

const MESSAGES = {
  currentPassword: 'Enter the password that you have now.',
  newPassword: 'A new password takes 8 to 72 characters.',
};

/** A new password, and nobody else signed in with the old one. */
@PageController('password')
@UseGuards(SessionAuthGuard)
export class PasswordController {
  constructor(
    @Inject(PasswordChange) private readonly passwordChange: PasswordChange,
    @Inject(CsrfService) private readonly csrf: CsrfService,
  ) {}

  @Get()
  form(@Req() request: object): PageAnswer {
    return passwordPage(this.csrf.formField(request));
  }

  @Public()
  @CsrfProtected()
  @Post()
  async change(@Req() request: object, @Body() body: unknown): Promise<PageAnswer> {
    const form = { currentPassword: fieldOf(body, 'currentPassword'), newPassword: fieldOf(body, 'newPassword') };
    const problems = checkForm(ChangePasswordDto, form, MESSAGES);
    if (Object.keys(problems).length > 0) {
      return {
        ...passwordPage(this.csrf.formField(request), 'Nothing was changed: see below.', problems),
        status: 422,
      };
    }
    try {
      const { revokedSessions } = await this.passwordChange.change(request, form.currentPassword, form.newPassword);
      const others = revokedSessions === 1 ? 'One other device was' : `${revokedSessions} other devices were`;
      return new SeeOther('/devices', `Your password is changed. ${others} signed out.`);
    } catch (error) {
      return refusedForm(error, 'This is not your present password.', (problem) =>
        passwordPage(this.csrf.formField(request), problem),
      );
    }
  }
}

function passwordPage(
  csrfField: string,
  problem?: string,
  problems: Problems<'currentPassword' | 'newPassword'> = {},
): PageContent {
  const body = html` ${alert(problem)}
    <form class="card" method="post" action="/password">
      ${trustedHtml(csrfField)}
      ${field({ name: 'currentPassword', label: 'Present password', type: 'password', autocomplete: 'current-password', problem: problems.currentPassword })}
      ${field({ name: 'newPassword', label: 'New password', type: 'password', autocomplete: 'new-password', hint: '8 to 72 characters', problem: problems.newPassword })}
      <button class="wide">Change password</button>
    </form>
    <p class="soft small">All your other devices are signed out by it.</p>`;
  return { title: 'Change your password', body, narrow: true };
}
