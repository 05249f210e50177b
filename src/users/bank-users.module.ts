import { Module } from '@nestjs/common';
import { BankUsersService } from './bank-users.service.js';

@Module({ providers: [BankUsersService], exports: [BankUsersService] })
export class BankUsersModule {}
