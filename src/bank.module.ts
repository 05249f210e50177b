import { Module, type DynamicModule, type ModuleMetadata } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import {
  SessionAuthModule,
  type SessionAuthExtras,
  type SessionAuthOptions,
  type StorageOptions,
} from 'nestjs-session-auth';
import { BankingModule } from './banking/banking.module.js';
import { HealthController } from './health.controller.js';
import { OFFICE } from './office/office-realm.js';
import { OfficeModule } from './office/office.module.js';
import { StaffUsersModule } from './office/staff-users.module.js';
import { StaffUsersService } from './office/staff-users.service.js';
import { OutboxModule } from './outbox/outbox.module.js';
import { SignInMailer } from './outbox/sign-in-mailer.js';
import { PagesModule } from './pages/pages.module.js';
import { BankUsersModule } from './users/bank-users.module.js';
import { BankUsersService } from './users/bank-users.service.js';

/** What the bank needs to run. */
export interface BankOptions {
  readonly secrets: readonly string[];
  readonly storage: StorageOptions | 'memory';
}

/** How the bank uses the library for its customers. */
export function bankSessions({ secrets, storage }: BankOptions): SessionAuthOptions & SessionAuthExtras {
  return {
    secrets,
    storage,
    imports: [BankUsersModule, OutboxModule],
    users: { useExisting: BankUsersService },
    notifier: { useExisting: SignInMailer },
    concurrency: { max: 3, onLimit: 'evict-oldest' },
    passwords: { cost: 10 },
  };
}

/** How it uses the library for its staff: other users, one session each, and shorter ones. */
export function officeSessions({ secrets, storage }: BankOptions): SessionAuthOptions & SessionAuthExtras {
  return {
    realm: OFFICE,
    secrets,
    storage,
    imports: [StaffUsersModule],
    users: { useExisting: StaffUsersService },
    lifetime: { idle: '15m', absolute: '8h' },
    concurrency: 1,
    rememberMe: false,
    passwords: { cost: 10 },
  };
}

/** The bank itself, to be put next to the library's module. */
export const BANK: Required<Pick<ModuleMetadata, 'imports' | 'controllers'>> = {
  imports: [BankUsersModule, BankingModule, PagesModule, TerminusModule],
  controllers: [HealthController],
};

@Module({})
export class BankModule {
  static register(options: BankOptions): DynamicModule {
    return {
      module: BankModule,
      imports: [
        SessionAuthModule.forRoot(bankSessions(options)),
        SessionAuthModule.forRoot(officeSessions(options)),
        ...BANK.imports,
        OfficeModule,
      ],
      controllers: BANK.controllers,
    };
  }
}
