import { Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectRealm, PasswordHasher, type SessionUserProvider } from 'nestjs-session-auth';
import { OFFICE } from './office-realm.js';
import type { StaffUser } from './staff-user.js';

/** The staff that the demo starts with. The passwords are public: they are printed at the start. */
export const STAFF_ACCOUNTS = [
  { id: 'olga', name: 'Olga', email: 'olga@office.example.com', roles: ['clerk'], password: 'olga-demo-password' },
  { id: 'oscar', name: 'Oscar', email: 'oscar@office.example.com', roles: ['clerk'], password: 'oscar-demo-password' },
] as const;

/** The staff of the back office, in memory. Nobody of them is a customer, whatever their id. */
@Injectable()
export class StaffUsersService implements SessionUserProvider<StaffUser>, OnModuleInit {
  #staff: readonly StaffUser[] = [];

  constructor(@InjectRealm(OFFICE, PasswordHasher) private readonly passwords: PasswordHasher) {}

  async onModuleInit(): Promise<void> {
    this.#staff = await Promise.all(
      STAFF_ACCOUNTS.map(async ({ password, ...account }) => ({
        ...account,
        passwordHash: await this.passwords.hash(password),
      })),
    );
  }

  findByEmail(email: string): Promise<StaffUser | undefined> {
    const wanted = email.trim().toLowerCase();
    return Promise.resolve(this.#staff.find((user) => user.email === wanted));
  }

  findById(id: string): Promise<StaffUser | undefined> {
    return Promise.resolve(this.#staff.find((user) => user.id === id));
  }
}
