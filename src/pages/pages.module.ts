import { Module } from '@nestjs/common';
import { BankingModule } from '../banking/banking.module.js';
import { OutboxModule } from '../outbox/outbox.module.js';
import { BankUsersModule } from '../users/bank-users.module.js';
import { AccountEventsController } from './account-events.controller.js';
import { AccountController } from './account.controller.js';
import { AdminPagesController } from './admin-pages.controller.js';
import { AssetsController } from './assets.controller.js';
import { DevicesController } from './devices.controller.js';
import { LastSession } from './last-session.js';
import { OutboxController } from './outbox.controller.js';
import { PageWriter } from './page-writer.js';
import { PasswordController } from './password.controller.js';
import { RecentEvents } from './recent-events.js';
import { SignInController } from './sign-in.controller.js';
import { BANK_SITE, SITE } from './site.js';

/** What customers and the bank's people see in their browsers. */
@Module({
  imports: [BankUsersModule, BankingModule, OutboxModule],
  controllers: [
    AssetsController,
    SignInController,
    AccountController,
    AccountEventsController,
    DevicesController,
    PasswordController,
    OutboxController,
    AdminPagesController,
  ],
  providers: [{ provide: SITE, useValue: BANK_SITE }, PageWriter, LastSession, RecentEvents],
  exports: [PageWriter],
})
export class PagesModule {}
