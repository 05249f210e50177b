import { optionalFlag, text, type FieldRules } from './dto.pipe.js';

/** The body of `POST login`, whose login name is in the field `endpoints.loginField`. */
export interface LoginDto {
  /** At most 72 bytes in UTF-8, which is bcrypt's limit. */
  readonly password: string;
  /** Stay signed in on this device: `true`, or what a ticked box of a form sends. */
  readonly rememberMe?: boolean | string | null;
  /** The account's login name; usually an e-mail address. At most 254 characters (RFC 5321 4.5.3.1). */
  readonly [loginField: string]: unknown;
}

/** @param loginField the field that the login name is in */
export function loginRules(loginField: string): FieldRules<LoginDto> {
  return { [loginField]: text(254), password: text(1024), rememberMe: optionalFlag };
}
