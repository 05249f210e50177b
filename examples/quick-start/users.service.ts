import { Injectable } from '@nestjs/common';
import { BcryptPasswordHasher, type SessionUser, type SessionUserProvider } from 'nestjs-session-auth';

export interface User extends SessionUser {
  readonly id: string;
  readonly email: string;
  readonly roles: readonly string[];
  readonly passwordHash: string;
}

/** Finds your users. This example has one user, in memory. */
@Injectable()
export class UsersService implements SessionUserProvider<User> {
  readonly #users: Promise<User[]> = new BcryptPasswordHasher(12)
    .hash('correct horse battery staple')
    .then((passwordHash) => [{ id: '1', email: 'ada@example.com', roles: ['author'], passwordHash }]);

  async findByEmail(email: string): Promise<User | undefined> {
    return (await this.#users).find((user) => user.email === email.toLowerCase());
  }

  async findById(id: string): Promise<User | undefined> {
    return (await this.#users).find((user) => user.id === id);
  }
}
