/** Where your accounts are kept. */
export abstract class Accounts {
  abstract savePasswordHash(id: string, passwordHash: string): Promise<void>;
  abstract saveRoles(id: string, roles: readonly string[]): Promise<void>;
  abstract disable(id: string): Promise<void>;
}
