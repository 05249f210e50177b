import { Injectable, Logger, Optional } from '@nestjs/common';
import { isStoreUnavailable } from '../async/store-deadline.js';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { stackOf } from '../errors/stack-of.js';
import { SessionEventPublisher } from '../events/event-publisher.js';
import type { LoginFailure } from '../events/session-event.js';
import type { RequestSession } from '../http/request-session.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import type { ThrottleRefusal } from '../throttle/login-attempt.js';
import { LoginThrottle } from '../throttle/login-throttle.js';
import { PasswordQueue, QueueFullError } from '../throttle/password-queue.js';
import { SessionUserProvider, type SessionUser } from '../users/session-user-provider.js';
import { userIdOf } from '../users/valid-user.js';

/** When to try again after too many passwords were waiting: some have been checked by then. */
const RETRY_SECONDS = 5;

/** The owner of the password. */
export interface CheckedUser {
  readonly user: SessionUser;
  /** Whether this is their first login from the request's device; undefined when not known. */
  readonly newDevice: boolean | undefined;
}

/**
 * Checks passwords under the login throttle. Unknown user, wrong password and disabled account look the same to the
 * client: in the response, in the work and in the counts (ASVS 6.3.8).
 */
@Injectable()
export class CredentialCheck {
  readonly #logger = new Logger('SessionAuth');

  /** @param throttle absent when the application has switched it off */
  constructor(
    private readonly passwords: PasswordHasher,
    private readonly events: SessionEventPublisher,
    private readonly queue: PasswordQueue,
    @Optional() private readonly throttle?: LoginThrottle,
    @Optional() private readonly users?: SessionUserProvider,
  ) {}

  /**
   * Returns the user with this password.
   *
   * @param findUser looks the account up
   * @throws SessionAuthError `invalid_credentials`, `too_many_attempts`, `server_busy`, `password_too_long`,
   *   `session_store_unavailable`
   */
  async userOf(
    requestSession: RequestSession,
    loginName: string,
    findUser: () => Promise<SessionUser | null | undefined>,
    password: string,
  ): Promise<CheckedUser> {
    const { ip } = requestSession.exchange.client;
    const user = await this.#unlessFull(requestSession, async () => {
      this.queue.requireRoom(ip);
      return (await findUser()) ?? undefined;
    });
    const device = user && requestSession.presented.deviceUsedBy(user);
    const attempt = this.throttle?.attempt(loginName, idOf(user), { ip, device });
    const refusal = await attempt?.check();
    if (refusal !== undefined) this.#refuse(requestSession, refusal, user);
    const failure = await this.#unlessFull(requestSession, () =>
      this.queue.run(ip, () => this.#verify(user, password)),
    );
    // tries of others meanwhile count too; otherwise parallel tries would all learn their outcome
    const late = await (failure === undefined ? attempt?.succeeded() : attempt?.failed());
    if (late !== undefined) this.#refuse(requestSession, late, user);
    if (failure !== undefined) this.fail(requestSession, failure, user);
    // not earlier: the extra time would reveal a right password whose verdict is withheld
    await this.#renewHash(ip, user!, password);
    const isKnown = device !== undefined && attempt?.isDeviceKnown !== false;
    return { user: user!, newDevice: requestSession.presented.knowsDevices ? !isKnown : undefined };
  }

  /**
   * Whether a user whom the application has authenticated is new to the request's device; undefined when not known. A
   * device that cannot be looked up counts as new: one notice too many is better than a missing one.
   */
  async isNewDevice(requestSession: RequestSession, user: SessionUser): Promise<boolean | undefined> {
    const { presented } = requestSession;
    if (!presented.knowsDevices) return undefined;
    const device = presented.deviceUsedBy(user);
    if (device === undefined || this.throttle === undefined) return device === undefined;
    try {
      return !(await this.throttle.isDeviceKnown(userIdOf(user.id), device.since));
    } catch (error) {
      if (isStoreUnavailable(error)) return true;
      throw error;
    }
  }

  /**
   * Whether one of a form's passwords is still the account's, after its hash may have been replaced since the check of
   * the first one.
   */
  async stillHolds(passwords: readonly string[], then: SessionUser, now: SessionUser): Promise<boolean> {
    // an application may leave the hash out when it finds users by id
    if (!now.passwordHash || now.passwordHash === then.passwordHash) return true;
    for (const password of passwords) if (await this.passwords.verify(password, now.passwordHash)) return true;
    return false;
  }

  /** @throws SessionAuthError `invalid_credentials` */
  fail(requestSession: RequestSession, reason: LoginFailure, user?: SessionUser): never {
    const { client } = requestSession.exchange;
    this.events.publish({ type: 'login.failed', reason, userId: idOf(user), client });
    throw new SessionAuthError('invalid_credentials', 'e-mail or password is wrong');
  }

  #refuse(requestSession: RequestSession, refusal: ThrottleRefusal, user?: SessionUser): never {
    const { client } = requestSession.exchange;
    this.events.publish({ type: 'login.throttled', ...refusal, userId: idOf(user), client });
    const { retryAfterSeconds } = refusal;
    throw new SessionAuthError('too_many_attempts', 'too many failed logins; try again later', { retryAfterSeconds });
  }

  async #unlessFull<T>(requestSession: RequestSession, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof QueueFullError)) throw error;
      const { client } = requestSession.exchange;
      const retryAfterSeconds = RETRY_SECONDS;
      this.events.publish({ type: 'login.throttled', scope: 'waiting', retryAfterSeconds, client });
      throw error.limit === 'key'
        ? new SessionAuthError('too_many_attempts', 'too many logins at the same time', { retryAfterSeconds })
        : new SessionAuthError('server_busy', 'too many logins are waiting; try again later', { retryAfterSeconds });
    }
  }

  async #verify(user: SessionUser | undefined, password: string): Promise<LoginFailure | undefined> {
    if (user?.disabled === true) {
      // the same work as for an unknown user; otherwise time would reveal a right password
      await this.passwords.verify(password, undefined);
      return 'account_disabled';
    }
    const matches = await this.passwords.verify(password, user?.passwordHash ?? undefined);
    if (user === undefined) return 'unknown_user';
    return matches ? undefined : 'wrong_password';
  }

  /** Replaces the outdated hash of a right password. If too many passwords are waiting, a later login does it. */
  async #renewHash(ip: string | undefined, user: SessionUser, password: string): Promise<void> {
    const composed = password.normalize('NFC');
    const hash = user.passwordHash!;
    if (!this.passwords.needsRehash(hash) && composed === password) return;
    try {
      await this.queue.run(ip, async () => {
        if (await this.#isOutdated(hash, composed)) await this.#rehash(user, password);
      });
    } catch (error) {
      if (!(error instanceof QueueFullError)) throw error;
    }
  }

  /** Whether a password's hash has other parameters, or was made of another form than NFC. */
  async #isOutdated(hash: string, composed: string): Promise<boolean> {
    return this.passwords.needsRehash(hash) || !(await this.passwords.verify(composed, hash));
  }

  /** Replaces an outdated hash. The user is let in even if the new hash cannot be saved. */
  async #rehash(user: SessionUser, password: string): Promise<void> {
    const { users, passwords } = this;
    if (users?.savePasswordHash === undefined) return;
    try {
      await users.savePasswordHash(userIdOf(user.id), await passwords.hash(password));
    } catch (error) {
      this.#logger.error('a password could not be rehashed', stackOf(error));
    }
  }
}

function idOf(user: SessionUser | undefined): string | undefined {
  return user === undefined ? undefined : userIdOf(user.id);
}
