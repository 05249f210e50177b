import { randomUUID } from 'node:crypto';
import { Body, Get, Inject, Post, Req, UseGuards } from '@nestjs/common';
import { CsrfProtected, CsrfService, CurrentUser, SessionAuthGuard } from 'nestjs-session-auth';
import { Ledger } from '../banking/ledger.js';
import { TransferDto } from '../banking/transfer.dto.js';
import type { BankUser } from '../users/bank-user.js';
import { accountPage, money, namesOf, type TransferForm } from './account.view.js';
import { checkForm, fieldOf } from './form.js';
import { SeeOther, type PageAnswer, type PageContent } from './page.js';
import { PageController } from './page.controller.js';

const MESSAGES = {
  to: 'Say who gets the money, in at most 254 characters.',
  amount: 'Enter an amount from 0.01 to 1000000, such as 25 or 9.99.',
  formId: 'Load the page again.',
};

/** A customer's money. */
@PageController('account')
@UseGuards(SessionAuthGuard)
export class AccountController {
  constructor(
    @Inject(Ledger) private readonly ledger: Ledger,
    @Inject(CsrfService) private readonly csrf: CsrfService,
  ) {}

  @Get()
  account(@CurrentUser() user: BankUser, @Req() request: object): PageAnswer {
    return this.#page(user, request, {});
  }

  @CsrfProtected()
  @Post('transfer')
  transfer(@CurrentUser() user: BankUser, @Req() request: object, @Body() body: unknown): PageAnswer {
    const [to, amountText] = [fieldOf(body, 'to').trim(), fieldOf(body, 'amount').trim()];
    const amount = /^\d+(\.\d+)?$/.test(amountText) ? Number(amountText) : NaN;
    const formId = fieldOf(body, 'formId') || undefined;
    const problems = checkForm(TransferDto, { to, amount, formId }, MESSAGES);
    if (Object.keys(problems).length > 0) {
      return { ...this.#page(user, request, { to, amount: amountText, problems }), status: 422 };
    }
    this.ledger.transfer(user.id, to, amount, formId);
    return new SeeOther('/account', `${money(amount)} is on its way to ${to}.`);
  }

  #page(user: BankUser, request: object, form: TransferForm): PageContent {
    const transfers = this.ledger.statement(user.id, namesOf(user));
    return accountPage(user, transfers, { csrfField: this.csrf.formField(request), formId: randomUUID() }, form);
  }
}
