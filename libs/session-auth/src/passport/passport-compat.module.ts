import { Inject, Module, Optional, type DynamicModule, type OnModuleInit } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { RealmRegistry } from '../http/realm-registry.js';
import {
  REQUEST_USER,
  resolvePassportCompat,
  type PassportCompatOptions,
  type RequestUser,
} from './passport.options.js';
import { RequestUserGuard } from './request-user.guard.js';
import { SessionStateStore } from './session-state-store.js';

/**
 * Sets `req.user` to the user of the session, and replaces `req.isAuthenticated`, `req.logIn`, `req.login`,
 * `req.logOut` and `req.logout` by methods of this library. They exist for everything that runs after its guards, on
 * every route. Middleware runs before guards, and sees them only behind {@link SessionPassport}.
 *
 * Import it once, beside `SessionAuthModule`:
 *
 * ```ts
 * imports: [SessionAuthModule.forRoot({ … }), PassportCompatModule.register({ requestUser: 'user' })]
 * ```
 *
 * The session is read for each request with a cookie, also on open routes.
 */
@Module({})
export class PassportCompatModule implements OnModuleInit {
  constructor(
    @Inject(REQUEST_USER) private readonly requestUser: RequestUser,
    @Optional() private readonly realms?: RealmRegistry,
  ) {}

  /** @throws SessionAuthError `invalid_configuration` */
  static register(options: PassportCompatOptions = {}): DynamicModule {
    return {
      module: PassportCompatModule,
      global: true,
      providers: [
        { provide: REQUEST_USER, useValue: resolvePassportCompat(options) },
        SessionStateStore,
        { provide: APP_GUARD, useClass: RequestUserGuard },
      ],
      exports: [REQUEST_USER, SessionStateStore],
    };
  }

  /** @throws SessionAuthError `invalid_configuration` */
  onModuleInit(): void {
    const { realms, requestUser } = this;
    if (realms === undefined) throw refuse('import SessionAuthModule beside it');
    if (requestUser !== 'user') return;
    const without = realms.names.find((name) => realms.servicesOf(name).users === undefined);
    if (without === undefined) return;
    throw refuse(
      `requestUser: given 'user'; the SessionAuthModule of realm '${without}' has no users; allowed is 'session'`,
    );
  }
}

function refuse(what: string): SessionAuthError {
  return new SessionAuthError('invalid_configuration', `PassportCompatModule: ${what}`);
}
