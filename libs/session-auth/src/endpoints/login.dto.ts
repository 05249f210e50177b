import { optionalFlag, text, type FieldRules } from './dto.pipe.js';

/** The body of `POST login`. */
export interface LoginDto {
  /** The account's login name, usually an e-mail address. At most 254 characters (RFC 5321 4.5.3.1). */
  readonly email: string;
  /** At most 72 bytes in UTF-8, which is bcrypt's limit. */
  readonly password: string;
  /** Stay signed in on this device. */
  readonly rememberMe?: boolean | null;
}

export const LOGIN_RULES: FieldRules<LoginDto> = { email: text(254), password: text(1024), rememberMe: optionalFlag };
