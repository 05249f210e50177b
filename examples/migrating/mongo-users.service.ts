import { Inject, Injectable } from '@nestjs/common';
import type { SessionUser, SessionUserProvider } from 'nestjs-session-auth';
import { ACCOUNTS, ObjectId, type Account, type AccountCollection } from './mongo-accounts.js';

/** The accounts of a MongoDB collection. */
@Injectable()
export class MongoUsersService implements SessionUserProvider {
  constructor(@Inject(ACCOUNTS) private readonly accounts: AccountCollection) {}

  async findByEmail(email: string): Promise<SessionUser | undefined> {
    return toUser(await this.accounts.findOne({ email: email.toLowerCase() }));
  }

  async findById(id: string): Promise<SessionUser | undefined> {
    return toUser(await this.accounts.findOne({ _id: new ObjectId(id) }));
  }
}

function toUser(account: Account | null): SessionUser | undefined {
  return account === null ? undefined : { ...account, id: String(account._id) };
}
