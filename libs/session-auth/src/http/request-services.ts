import { Inject, Injectable, Optional } from '@nestjs/common';
import { SessionEventPublisher } from '../events/event-publisher.js';
import { Fingerprint } from '../fingerprint/fingerprint.js';
import { DEFAULT_REALM, REALM } from '../realms/realm-name.js';
import { SessionChanges } from '../session/session-changes.js';
import { SessionReader } from '../session/session-reader.js';
import { SessionRotation } from '../session/session-rotation.js';
import { UserSessions } from '../session/user-sessions.js';
import { SessionGuessing } from '../throttle/session-guessing.js';
import { Clock } from '../time/clock.js';
import { SessionUserProvider } from '../users/session-user-provider.js';
import { CookieSet } from './cookie-set.js';
import { HTTP_SETTINGS, type HttpSettings } from './http.options.js';
import { SessionResumer } from './session-resumer.js';

/** What the session of a request is read, judged and replaced with: the same for all requests. */
@Injectable()
export class RequestServices {
  constructor(
    readonly cookies: CookieSet,
    readonly reader: SessionReader,
    readonly changes: SessionChanges,
    readonly rotation: SessionRotation,
    readonly ofUsers: UserSessions,
    readonly guessing: SessionGuessing,
    readonly clock: Clock,
    readonly events: SessionEventPublisher,
    @Inject(HTTP_SETTINGS) readonly http: HttpSettings,
    /** Absent where the check is off. */
    @Optional() readonly fingerprint?: Fingerprint,
    /** Absent where remember-me is off. */
    @Optional() readonly resumer?: SessionResumer,
    /** Absent where the application configured no `users`. */
    @Optional() readonly users?: SessionUserProvider,
    @Inject(REALM) readonly realm = DEFAULT_REALM,
  ) {}
}
