import { randomBytes } from 'node:crypto';
import { BankConfigError, readBankConfig } from './config/bank-config.js';

async function main(): Promise<void> {
  const config = readBankConfig(process.env, () => randomBytes(32).toString('base64url'));
  // loaded once the settings are read: loading takes a second, and a wrong one is told of at once
  const { runBank } = await import('./run-bank.js');
  await runBank(config, fail);
}

function fail(error: unknown): never {
  const known = error instanceof BankConfigError || (error instanceof Error && error.name === 'SessionAuthError');
  process.stderr.write(
    `Example Bank cannot start. ${known ? error.message : error instanceof Error ? error.stack : String(error)}\n`,
  );
  process.exit(1);
}

main().catch(fail);
