import { Injectable, Logger, Optional } from '@nestjs/common';
import { deviceName } from '../users/device-name.js';
import type { SessionUser } from '../users/session-user-provider.js';
import { NewSessionNotifier } from './new-session-notifier.js';
import type { Session } from './session.js';

/** Asks the application's notifier of every new session, and has it send where the user wants it. */
@Injectable()
export class NewSessionAnnouncer {
  readonly #logger = new Logger('SessionNotifier');

  constructor(@Optional() private readonly notifier?: NewSessionNotifier) {}

  /** Answers at once; failures are logged. */
  announce(user: SessionUser, session: Session, newDevice: boolean | undefined): void {
    if (this.notifier === undefined) return;
    this.#notify(this.notifier, user, session, newDevice).catch((error: unknown) => {
      this.#logger.error(
        `a new session of user ${JSON.stringify(String(user.id))} could not be announced`,
        error instanceof Error ? error.stack : String(error),
      );
    });
  }

  async #notify(
    notifier: NewSessionNotifier,
    user: SessionUser,
    session: Session,
    newDevice: boolean | undefined,
  ): Promise<void> {
    if ((await notifier.wants(user)) !== true) return;
    const { ip, userAgent } = session;
    await notifier.send({ user, session: session.toJSON(), device: deviceName(userAgent), ip, newDevice });
  }
}
