import { Controller, Inject, Sse, UseGuards, type MessageEvent } from '@nestjs/common';
import { CurrentUser, Passive, SessionAuthGuard } from 'nestjs-session-auth';
import { map, type Observable } from 'rxjs';
import { Ledger } from '../banking/ledger.js';
import type { BankUser } from '../users/bank-user.js';
import { balanceOf, namesOf, transferLine } from './account.view.js';

/** What happens to a customer's money while they look at it. The stream ends with the session. */
@Controller('account')
@UseGuards(SessionAuthGuard)
export class AccountEventsController {
  constructor(@Inject(Ledger) private readonly ledger: Ledger) {}

  // a page that lies open is no activity of its user
  @Passive()
  @Sse('events')
  events(@CurrentUser() user: BankUser): Observable<MessageEvent> {
    const names = namesOf(user);
    return this.ledger.received(names).pipe(
      map((transfer) => {
        const balance = balanceOf(this.ledger.statement(user.id, names), user);
        return { type: 'transfer', data: { balance, ...transferLine(transfer, user) } };
      }),
    );
  }
}
