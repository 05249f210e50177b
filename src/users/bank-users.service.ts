import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { PasswordHasher, type SessionUserProvider } from 'nestjs-session-auth';
import type { BankUser } from './bank-user.js';

/** The accounts that the demo starts with. The passwords are public: they are printed at the start. */
export const DEMO_ACCOUNTS = [
  { id: 'alice', name: 'Alice', email: 'alice@example.com', roles: ['customer'], password: 'alice-demo-password' },
  { id: 'bob', name: 'Bob', email: 'bob@example.com', roles: ['customer'], password: 'bob-demo-password' },
  { id: 'admin', name: 'Ada Min', email: 'admin@example.com', roles: ['admin'], password: 'admin-demo-password' },
] as const;

/** The bank's users, in memory. */
@Injectable()
export class BankUsersService implements SessionUserProvider<BankUser>, OnModuleInit {
  readonly #users = new Map<string, BankUser>();

  constructor(@Inject(PasswordHasher) private readonly passwords: PasswordHasher) {}

  async onModuleInit(): Promise<void> {
    const hashes = await Promise.all(DEMO_ACCOUNTS.map(({ password }) => this.passwords.hash(password)));
    for (const [index, { password: _, ...account }] of DEMO_ACCOUNTS.entries()) {
      const passwordHash = hashes[index]!;
      this.#users.set(account.id, { ...account, passwordHash, disabled: false, wantsSignInMail: true });
    }
  }

  findByEmail(email: string): Promise<BankUser | undefined> {
    const wanted = email.trim().toLowerCase();
    return Promise.resolve(this.all().find((user) => user.email === wanted));
  }

  findById(id: string): Promise<BankUser | undefined> {
    return Promise.resolve(this.#users.get(id));
  }

  savePasswordHash(id: string, passwordHash: string): Promise<void> {
    this.#change(id, { passwordHash });
    return Promise.resolve();
  }

  all(): BankUser[] {
    return [...this.#users.values()];
  }

  /** Answers false when somebody else has that address. */
  changeEmail(id: string, email: string): boolean {
    const wanted = email.toLowerCase();
    if (this.all().some((user) => user.email === wanted && user.id !== id)) return false;
    this.#change(id, { email: wanted });
    return true;
  }

  /** Answers false when there is no such user. */
  disable(id: string): boolean {
    return this.#change(id, { disabled: true });
  }

  /** Answers false when there is no such user. */
  changeRoles(id: string, roles: readonly string[]): boolean {
    return this.#change(id, { roles });
  }

  chooseSignInMail(id: string, wantsSignInMail: boolean): void {
    this.#change(id, { wantsSignInMail });
  }

  #change(id: string, changes: Partial<BankUser>): boolean {
    const user = this.#users.get(id);
    if (user !== undefined) this.#users.set(id, { ...user, ...changes });
    return user !== undefined;
  }
}
