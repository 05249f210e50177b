import { Inject, Injectable } from '@nestjs/common';
import type { SessionUser, SessionUserProvider } from 'nestjs-session-auth';

/** What the driver of MongoDB calls `ObjectId`: an object, whose text is 24 hexadecimal digits. */
export class ObjectId {
  constructor(private readonly hex: string) {}

  toString(): string {
    return this.hex;
  }
}

/** A document of the collection. */
export interface Account {
  readonly _id: ObjectId;
  readonly email: string;
  readonly roles: readonly string[];
  readonly passwordHash: string;
}

/** The part of a collection that is used here. */
export interface AccountCollection {
  findOne(filter: { readonly email?: string; readonly _id?: ObjectId }): Promise<Account | null>;
}

export const ACCOUNTS = Symbol('accounts');

/** The accounts of a MongoDB collection. */
@Injectable()
export class MongoUsersService implements SessionUserProvider {
  constructor(@Inject(ACCOUNTS) private readonly accounts: AccountCollection) {}

  async findByEmail(email: string): Promise<SessionUser | undefined> {
    return toUser(await this.accounts.findOne({ email: email.toLowerCase() }));
  }

  async findById(id: string): Promise<SessionUser | undefined> {
    return toUser(await this.accounts.findOne({ _id: toObjectId(id) }));
  }
}

function toUser(account: Account | null): SessionUser | undefined {
  return account === null ? undefined : { ...account, id: String(account._id) };
}

function toObjectId(id: string): ObjectId {
  return new ObjectId(id);
}
