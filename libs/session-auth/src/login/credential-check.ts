import { Logger } from '@nestjs/common';
import { SessionAuthError } from '../errors/session-auth.error.js';
import type { SessionEventPublisher } from '../events/event-publisher.js';
import type { LoginFailure } from '../events/session-event.js';
import type { RequestSession } from '../http/request-session.js';
import type { PasswordHasher } from '../passwords/password-hasher.js';
import type { ThrottleRefusal } from '../throttle/login-attempt.js';
import type { LoginThrottle } from '../throttle/login-throttle.js';
import type { SessionUser, SessionUserProvider } from '../users/session-user-provider.js';
import type { DeviceRecognition } from './device-recognition.js';

/** The parts that {@link CredentialCheck} works with. */
export interface CredentialCheckParts {
  readonly passwords: PasswordHasher;
  readonly users: SessionUserProvider | undefined;
  readonly events: SessionEventPublisher;
  readonly devices: DeviceRecognition;
  /** Absent where the application has switched it off. */
  readonly throttle: LoginThrottle | undefined;
}

/**
 * The check of a password, under the login throttle. Unknown user, wrong password and disabled account are one and the
 * same to the client, in answer, in work and in what is counted (ASVS 6.3.8).
 */
export class CredentialCheck {
  readonly #logger = new Logger('SessionAuth');

  constructor(private readonly parts: CredentialCheckParts) {}

  /**
   * The user whose password it is.
   *
   * @param findUser looks the account up; runs while the throttle is asked
   * @throws SessionAuthError `invalid_credentials`, `too_many_attempts`, `password_too_long`,
   *   `session_store_unavailable`
   */
  async userOf(
    request: RequestSession,
    loginName: string,
    findUser: () => Promise<SessionUser | null | undefined>,
    password: string,
  ): Promise<SessionUser> {
    const { throttle, devices } = this.parts;
    const { ip } = request.exchange.client;
    const attempt = throttle?.attempt(loginName, { ip, deviceId: devices.knownFor(request, loginName) });
    if (attempt === undefined) {
      const user = (await findUser()) ?? undefined;
      const failure = await this.#verify(user, password);
      if (failure !== undefined) this.fail(request, failure, user);
      return user!;
    }
    return attempt.inTurn(async () => {
      const [found, refusal] = await Promise.all([findUser(), attempt.check()]);
      const user = found ?? undefined;
      if (refusal !== undefined) this.#refuse(request, refusal, user);
      const failure = await this.#verify(user, password);
      // what others tried meanwhile counts as well: without this, parallel tries would all be told their outcome
      const late = await (failure === undefined ? attempt.succeeded() : attempt.failed());
      if (late !== undefined) this.#refuse(request, late, user);
      if (failure !== undefined) this.fail(request, failure, user);
      return user!;
    });
  }

  /** Whether a password that was right for an account still is, after the account's hash may have been replaced. */
  async stillHolds(password: string, then: SessionUser, now: SessionUser): Promise<boolean> {
    // an application may leave the hash out where it looks users up by id
    if (!now.passwordHash || now.passwordHash === then.passwordHash) return true;
    return this.parts.passwords.verify(password, now.passwordHash);
  }

  /** @throws SessionAuthError `invalid_credentials` */
  fail(request: RequestSession, reason: LoginFailure, user?: SessionUser): never {
    const { client } = request.exchange;
    this.parts.events.publish({ type: 'login.failed', reason, userId: idOf(user), client });
    throw new SessionAuthError('invalid_credentials', 'e-mail or password is wrong');
  }

  #refuse(request: RequestSession, refusal: ThrottleRefusal, user?: SessionUser): never {
    const { client } = request.exchange;
    this.parts.events.publish({ type: 'login.throttled', ...refusal, userId: idOf(user), client });
    const { retryAfterSeconds } = refusal;
    throw new SessionAuthError('too_many_attempts', 'too many failed logins; try again later', { retryAfterSeconds });
  }

  async #verify(user: SessionUser | undefined, password: string): Promise<LoginFailure | undefined> {
    const { passwords } = this.parts;
    const matches = await passwords.verify(password, user?.passwordHash ?? undefined);
    if (user === undefined) return 'unknown_user';
    if (!matches) return 'wrong_password';
    if (user.disabled === true) return 'account_disabled';
    if (passwords.needsRehash(user.passwordHash!)) await this.#rehash(user, password);
    return undefined;
  }

  /** The cost was raised since the hash was made. The user is let in whether or not the new hash can be kept. */
  async #rehash(user: SessionUser, password: string): Promise<void> {
    const { users, passwords } = this.parts;
    if (users?.savePasswordHash === undefined) return;
    try {
      await users.savePasswordHash(String(user.id), await passwords.hash(password));
    } catch (error) {
      this.#logger.error('a password could not be rehashed', error instanceof Error ? error.stack : String(error));
    }
  }
}

function idOf(user: SessionUser | undefined): string | undefined {
  return user === undefined ? undefined : String(user.id);
}
