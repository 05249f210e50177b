import { Injectable, Logger } from '@nestjs/common';
import { stackOf } from '../errors/stack-of.js';
import { deviceName } from '../users/client.js';
import type { SessionUser } from '../users/session-user-provider.js';
import { userIdOf } from '../users/valid-user.js';
import { NewSessionNotifier } from './new-session-notifier.js';
import type { Session } from './session.js';

/** What is known about the device of a new session. */
export interface SessionOrigin {
  /** Whether this is the user's first login from it; undefined when not known. */
  readonly newDevice: boolean | undefined;
  /** Whether the session replaces one of the same device. */
  readonly isReplacement: boolean;
}

/** Asks the application's notifier about every new session, and sends the notice if the user wants it. */
@Injectable()
export class NewSessionAnnouncer {
  readonly #logger = new Logger('SessionNotifier');

  constructor(private readonly notifier: NewSessionNotifier) {}

  /** Returns at once; failures are logged. */
  announce(user: SessionUser, session: Session, origin: SessionOrigin): void {
    this.#notify(user, session, origin).catch((error: unknown) => {
      this.#logger.error(
        `a new session of user ${JSON.stringify(userIdOf(user.id))} could not be announced`,
        stackOf(error),
      );
    });
  }

  async #notify(user: SessionUser, session: Session, origin: SessionOrigin): Promise<void> {
    if ((await this.notifier.wants(user)) !== true) return;
    const { ip, userAgent } = session;
    await this.notifier.send({ user, session: session.toJSON(), device: deviceName(userAgent), ip, ...origin });
  }
}
