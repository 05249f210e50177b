/** As `ObjectId` of the driver of MongoDB: an object whose text is 24 hexadecimal digits. */
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
