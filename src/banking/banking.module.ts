import { Module } from '@nestjs/common';
import { BankUsersModule } from '../users/bank-users.module.js';
import { AdminController } from './admin.controller.js';
import { BankingController } from './banking.controller.js';
import { Ledger } from './ledger.js';

@Module({ imports: [BankUsersModule], controllers: [BankingController, AdminController], providers: [Ledger] })
export class BankingModule {}
