import { Inject, Injectable } from '@nestjs/common';
import { ConcurrentSessionsService } from 'nestjs-session-auth';
import { BankUsersService } from '../users/bank-users.service.js';
import type { Customer } from './customer.js';

/** The bank's customers, for its staff. */
@Injectable()
export class CustomersService {
  constructor(
    @Inject(BankUsersService) private readonly users: BankUsersService,
    // that of the customers' realm: its class names it, on whatever route it is called
    @Inject(ConcurrentSessionsService) private readonly concurrent: ConcurrentSessionsService,
  ) {}

  async all(): Promise<Customer[]> {
    const customers = this.users.all().filter(({ roles }) => roles.includes('customer'));
    return Promise.all(
      customers.map(async ({ id, name, email, disabled }) => {
        return { id, name, email, disabled, sessions: await this.concurrent.count(id) };
      }),
    );
  }
}
