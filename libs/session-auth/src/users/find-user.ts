import type { SessionUser, SessionUserProvider } from './session-user-provider.js';
import { checkedUserIfAny } from './valid-user.js';

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
