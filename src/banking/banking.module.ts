import { Module } from '@nestjs/common';
import { BankUsersModule } from '../users/bank-users.module.js';
import { AdminController } from './admin.controller.js';
import { BankingController } from './banking.controller.js';
import { Ledger } from './ledger.js';
import { PasswordChange } from './password-change.js';

@Module({
  imports: [BankUsersModule],
  controllers: [BankingController, AdminController],
  providers: [Ledger, PasswordChange],
  exports: [Ledger, PasswordChange],
})
export class BankingModule {}
