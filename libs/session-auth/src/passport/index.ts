export { PassportCompatModule } from './passport-compat.module.js';
export type { PassportCompatOptions, RequestUser } from './passport.options.js';
export type { PassportLoginOptions, PassportLogoutOptions } from './passport-sign-in.js';
export type { PassportSession, PassportSessionCookie, SessionCallback } from './passport-session.js';
export { SessionPassport } from './session-passport.js';
export { SessionStateStore, type StateStored, type StateVerified } from './session-state-store.js';
