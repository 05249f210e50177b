import { Injectable, Logger, Optional } from '@nestjs/common';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { SessionEventPublisher } from '../events/event-publisher.js';
import type { LoginFailure } from '../events/session-event.js';
import type { RequestSession } from '../http/request-session.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import type { ThrottleRefusal } from '../throttle/login-attempt.js';
import { LoginThrottle } from '../throttle/login-throttle.js';
import { SessionUserProvider, type SessionUser } from '../users/session-user-provider.js';
import { userIdOf } from '../users/valid-user.js';
import { DeviceRecognition } from './device-recognition.js';

/**
 * The check of a password, under the login throttle. Unknown user, wrong password and disabled account are one and the
 * same to the client, in answer, in work and in what is counted (ASVS 6.3.8).
 */
@Injectable()
export class CredentialCheck {
  readonly #logger = new Logger('SessionAuth');

  /** @param throttle absent where the application has switched it off */
  constructor(
    private readonly passwords: PasswordHasher,
    private readonly events: SessionEventPublisher,
    private readonly devices: DeviceRecognition,
    @Optional() private readonly throttle?: LoginThrottle,
    @Optional() private readonly users?: SessionUserProvider,
  ) {}

  /**
   * The user whose password it is.
   *
   * @param findUser looks the account up; runs while the throttle is asked
   * @throws SessionAuthError `invalid_credentials`, `too_many_attempts`, `password_too_long`,
   *   `session_store_unavailable`
   */
  async userOf(
    requestSession: RequestSession,
    loginName: string,
    findUser: () => Promise<SessionUser | null | undefined>,
    password: string,
  ): Promise<SessionUser> {
    const { ip } = requestSession.exchange.client;
    const attempt = this.throttle?.attempt(loginName, {
      ip,
      deviceId: this.devices.knownFor(requestSession, loginName),
    });
    if (attempt === undefined) {
      const user = (await findUser()) ?? undefined;
      const failure = await this.#verify(user, password);
      if (failure !== undefined) this.fail(requestSession, failure, user);
      return user!;
    }
    return attempt.inTurn(async () => {
      const [found, refusal] = await Promise.all([findUser(), attempt.check()]);
      const user = found ?? undefined;
      if (refusal !== undefined) this.#refuse(requestSession, refusal, user);
      const failure = await this.#verify(user, password);
      // what others tried meanwhile counts as well: without this, parallel tries would all be told their outcome
      const late = await (failure === undefined ? attempt.succeeded() : attempt.failed());
      if (late !== undefined) this.#refuse(requestSession, late, user);
      if (failure !== undefined) this.fail(requestSession, failure, user);
      return user!;
    });
  }

  /**
   * Whether one of the passwords that a form came with is the account's, after its hash may have been replaced since the
   * first of them was right.
   */
  async stillHolds(passwords: readonly string[], then: SessionUser, now: SessionUser): Promise<boolean> {
    // an application may leave the hash out where it looks users up by id
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

  async #verify(user: SessionUser | undefined, password: string): Promise<LoginFailure | undefined> {
    const matches = await this.passwords.verify(password, user?.passwordHash ?? undefined);
    if (user === undefined) return 'unknown_user';
    if (!matches) return 'wrong_password';
    if (user.disabled === true) return 'account_disabled';
    if (this.passwords.needsRehash(user.passwordHash!)) await this.#rehash(user, password);
    return undefined;
  }

  /** The cost was raised since the hash was made. The user is let in whether or not the new hash can be kept. */
  async #rehash(user: SessionUser, password: string): Promise<void> {
    const { users, passwords } = this;
    if (users?.savePasswordHash === undefined) return;
    try {
      await users.savePasswordHash(userIdOf(user.id), await passwords.hash(password));
    } catch (error) {
      this.#logger.error('a password could not be rehashed', error instanceof Error ? error.stack : String(error));
    }
  }
}

function idOf(user: SessionUser | undefined): string | undefined {
  return user === undefined ? undefined : userIdOf(user.id);
}
