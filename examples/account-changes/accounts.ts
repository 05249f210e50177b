/** Where your accounts are kept. */
export abstract class Accounts {
  abstract savePasswordHash(id: string, passwordHash: string): Promise<void>;
  abstract saveRoles(id: string, roles: readonly string[]): Promise<void>;
  abstract disable(id: string): Promise<void>;
  /** The account that a code of a reset mail is for, if it is good; it is good no more after this. */
  abstract redeemResetCode(code: string): Promise<string | undefined>;
}
