import { kindOf, type OptionReader } from '../options/option-reader.js';

/** Where the resolved `secrets` are injected from: at least one, newest first. */
export const SECRETS = Symbol('nestjs-session-auth secrets');

const MIN_SECRET_BYTES = 32;

/** The option `secrets`. */
export function resolveSecrets(root: OptionReader): readonly string[] {
  const given = root.get('secrets');
  const allowed = `an array of one or more secrets, each a string of at least ${MIN_SECRET_BYTES} bytes, for example from: openssl rand -base64 32`;
  if (!Array.isArray(given) || given.length === 0) throw root.refuse('secrets', allowed, kindOf(given));
  const secrets = Array.from(given, (secret: unknown, index) => {
    if (typeof secret !== 'string') throw root.refuse(`secrets[${index}]`, allowed, kindOf(secret));
    const bytes = Buffer.byteLength(secret);
    // the message leaves the value out: it is a secret, even if a weak one
    if (bytes < MIN_SECRET_BYTES) throw root.refuse(`secrets[${index}]`, allowed, `a string of ${bytes} bytes`);
    return secret;
  });
  if (new Set(secrets).size !== secrets.length)
    throw root.refuse('secrets', 'different secrets', 'the same secret twice');
  return secrets;
}
