import { kindOf, type OptionReader } from '../options/option-reader.js';

/** Where the resolved `secrets` are injected from: at least one, newest first. */
export const SECRETS = Symbol('nestjs-session-auth secrets');

const MIN_SECRET_BYTES = 32;

const ALLOWED =
  `an array of one or more secrets, each a string of at least ${MIN_SECRET_BYTES} bytes, for example from: ` +
  `node -p "require('crypto').randomBytes(32).toString('base64')"`;

/** Most often it is in `.env`, and the module was declared before that was read. */
const NOT_LOADED =
  '. If it is in .env, that may not be loaded yet: forRoot reads process.env when the file of the module is imported. ' +
  "Use forRootAsync with ConfigService, or start with: node --env-file=.env, or make import 'dotenv/config' the first line";

/** The option `secrets`. */
export function resolveSecrets(root: OptionReader): readonly string[] {
  const given = root.get('secrets');
  if (!Array.isArray(given) || given.length === 0) {
    throw root.refuse('secrets', given === undefined ? ALLOWED + NOT_LOADED : ALLOWED, kindOf(given));
  }
  const secrets = Array.from(given, (secret: unknown, index) => {
    const isMissing = secret === undefined || secret === '';
    const allowed = isMissing ? ALLOWED + NOT_LOADED : ALLOWED;
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
