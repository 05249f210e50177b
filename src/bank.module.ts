import { Module, type DynamicModule } from '@nestjs/common';
import {
  SessionAuthModule,
  type SessionAuthExtras,
  type SessionAuthOptions,
  type StorageOptions,
} from 'nestjs-session-auth';
import { BankingModule } from './banking/banking.module.js';
import { HealthController } from './health.controller.js';
import { BankUsersModule } from './users/bank-users.module.js';
import { BankUsersService } from './users/bank-users.service.js';

/** What the bank needs to run. */
export interface BankOptions {
  readonly secrets: readonly string[];
  readonly storage: StorageOptions | 'memory';
}

/** How the bank uses the library. */
export function bankSessions({ secrets, storage }: BankOptions): SessionAuthOptions & SessionAuthExtras {
  return {
    secrets,
    storage,
    imports: [BankUsersModule],
    users: { useExisting: BankUsersService },
    concurrency: { max: 3, onLimit: 'evict-oldest' },
    passwords: { cost: 10 },
  };
}

@Module({})
export class BankModule {
  static register(options: BankOptions): DynamicModule {
    return {
      module: BankModule,
      imports: [SessionAuthModule.forRoot(bankSessions(options)), BankUsersModule, BankingModule],
      controllers: [HealthController],
    };
  }
}
