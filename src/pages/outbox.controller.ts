import { Body, Get, Inject, Post, Req, UseGuards } from '@nestjs/common';
import { CsrfProtected, CsrfService, CurrentUser, SessionAuthGuard } from 'nestjs-session-auth';
import { Outbox, type Mail } from '../outbox/outbox.js';
import type { BankUser } from '../users/bank-user.js';
import { BankUsersService } from '../users/bank-users.service.js';
import { fieldOf } from './form.js';
import { html, trustedHtml, type Html } from './html.js';
import { SeeOther, type PageAnswer } from './page.js';
import { PageController } from './page.controller.js';

/** The mails that would have gone out: a customer's own, or all of them for the bank's people. */
@PageController('outbox')
@UseGuards(SessionAuthGuard)
export class OutboxController {
  constructor(
    @Inject(Outbox) private readonly outbox: Outbox,
    @Inject(BankUsersService) private readonly users: BankUsersService,
    @Inject(CsrfService) private readonly csrf: CsrfService,
  ) {}

  @Get()
  mails(@CurrentUser() user: BankUser, @Req() request: object): PageAnswer {
    const isAdmin = user.roles.includes('admin');
    const mails = this.outbox.all().filter(({ userId }) => isAdmin || userId === user.id);
    const body = html` <p>
        Mails that the bank would have sent ${isAdmin ? 'to its customers' : 'to you'}, the latest first.
      </p>
      <form class="card" method="post" action="/outbox/settings">
        ${trustedHtml(this.csrf.formField(request))}
        <div class="field">
          <label class="check"
            ><input type="checkbox" name="signInMail" value="yes" ${user.wantsSignInMail && html` checked`} />Mail me
            when I sign in somewhere</label
          >
        </div>
        <button class="quiet">Save</button>
      </form>
      ${mails.length === 0 ? html`<p class="soft">None yet.</p>` : mails.map(mailItem)}`;
    return { title: 'Outbox', body };
  }

  @CsrfProtected()
  @Post('settings')
  save(@CurrentUser() user: BankUser, @Body() body: unknown): PageAnswer {
    const wantsMail = fieldOf(body, 'signInMail') === 'yes';
    this.users.chooseSignInMail(user.id, wantsMail);
    return new SeeOther('/outbox', wantsMail ? 'You will get a mail at each sign-in.' : 'You will get no more mails.');
  }
}

function mailItem({ to, subject, text, at }: Mail): Html {
  return html`<article class="card mail">
    <h2>${subject}</h2>
    <dl>
      <dt>To</dt>
      <dd>${to}</dd>
      <dt>Date</dt>
      <dd>${at.toUTCString()}</dd>
    </dl>
    <pre>${text}</pre>
  </article>`;
}
