import { SessionAuthError } from '../errors/session-auth.error.js';
import type { SessionUser, SessionUserProvider } from './session-user-provider.js';

/**
 * Returns an account's id as the text under which its sessions are kept.
 *
 * Any other value would be the same text for many accounts (`"undefined"`, `"[object Object]"`, `"NaN"`), and they
 * would share their sessions. So would malformed text: UTF-8 encodes all lone surrogates as one character.
 *
 * @throws SessionAuthError `invalid_user` unless the id is non-empty well-formed text, a safe integer or a bigint
 */
export function userIdOf(id: unknown): string {
  if (typeof id === 'string' && id !== '' && isWellFormed(id)) return id;
  if (Number.isSafeInteger(id) || typeof id === 'bigint') return String(id);
  throw invalidUser(
    `its id is ${describe(id)}; allowed is a non-empty well-formed string, a safe integer or a bigint` +
      (typeof id === 'object' && id !== null ? ' (String(id) for an object such as an ObjectId)' : ''),
  );
}

/**
 * Checks the fields of a user that sessions store, and returns the user.
 *
 * @throws SessionAuthError `invalid_user` for an id that {@link userIdOf} refuses, roles that are not an array of
 *   strings, or an e-mail address that is not a string
 */
export function checkedUser<User extends SessionUser>(user: User): User {
  const given: unknown = user;
  if (typeof given !== 'object' || given === null) throw invalidUser(`it is ${describe(given)}, not an object`);
  const { id, roles, email } = given as Partial<Record<keyof SessionUser, unknown>>;
  userIdOf(id);
  checkAccount({ roles, email });
  return user;
}

/**
 * Checks fields of an account. Undefined and null count as absent.
 *
 * @throws SessionAuthError `invalid_user`
 */
export function checkAccount({ roles, email }: { readonly roles?: unknown; readonly email?: unknown }): void {
  if (roles != null && !(Array.isArray(roles) && roles.every(isRole))) {
    const given = Array.isArray(roles) ? 'an array with other values' : describe(roles);
    throw invalidUser(`its roles are ${given}; allowed is an array of well-formed strings`);
  }
  if (email != null && typeof email !== 'string') {
    throw invalidUser(`its e-mail address is ${describe(email)}; allowed is a string`);
  }
}

/** As {@link checkedUser}, for a look-up that may find nobody. */
export function checkedUserIfAny<User extends SessionUser>(user: User | null | undefined): User | undefined {
  return user == null ? undefined : checkedUser(user);
}

/**
 * The user with a login name, also a disabled one.
 *
 * @throws SessionAuthError `invalid_user` for a user that the provider should not have returned
 */
export async function findUserByEmail(users: SessionUserProvider, email: string): Promise<SessionUser | undefined> {
  return checkedUserIfAny(await users.findByEmail(email));
}

/**
 * The user with an id, unless they are disabled.
 *
 * @throws SessionAuthError `invalid_user` for a user that the provider should not have returned
 */
export async function findUser(users: SessionUserProvider, userId: string): Promise<SessionUser | undefined> {
  const user = checkedUserIfAny(await users.findById(userId));
  return user?.disabled === true ? undefined : user;
}

function isRole(role: unknown): boolean {
  return typeof role === 'string' && isWellFormed(role);
}

function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}

/** Describes a value without its content, which may be personal. */
function describe(value: unknown): string {
  if (value === '') return 'an empty string';
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'number') return 'a number that is not a safe integer';
  if (typeof value === 'string') return 'a string with a lone surrogate';
  return Array.isArray(value) ? 'an array' : `of type ${typeof value}`;
}

function invalidUser(why: string): SessionAuthError {
  return new SessionAuthError('invalid_user', `a user cannot have sessions: ${why}`);
}
