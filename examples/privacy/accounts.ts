/** Where your accounts are kept. */
export abstract class Accounts {
  /** Removes the account and its data: nobody can log in to it afterwards. */
  abstract remove(id: string): Promise<void>;
  /** The names that the user has logged in with: the present address and former ones. */
  abstract loginNames(id: string): Promise<readonly string[]>;
}
