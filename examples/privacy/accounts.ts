/** Where your accounts are kept. */
export abstract class Accounts {
  /** From now on nobody can log in to the account, and what you keep of it is gone. */
  abstract remove(id: string): Promise<void>;
  /** Names that the user has logged in by: today's address, and those of before. */
  abstract loginNames(id: string): Promise<readonly string[]>;
}
