// module
export { SessionAuthModule } from './session-auth.module.js';
export type { SessionAuthExtras, SessionAuthOptions } from './session-auth.options.js';

// options
export type { ProviderSlot } from './options/provider-slot.js';

// realms
export { Realm } from './realms/realm.decorator.js';
export { InjectRealm, realmToken } from './realms/realm-token.js';

// errors
export { HTTP_STATUS_BY_CODE, type SessionAuthErrorCode } from './errors/error-codes.js';
export { SessionAuthError, type SessionAuthErrorOptions } from './errors/session-auth.error.js';

// time
export { Clock, SystemClock } from './time/clock.js';
export type { Duration } from './time/durations.js';

// channels
export type { GraphqlOptions } from './channels/graphql.options.js';

// users
export type { ClientInfo } from './users/client.js';
export { deviceName } from './users/client.js';
export type { SessionAuthentication } from './users/session-authentication.js';
export { SessionUserProvider, type SessionUser, type SessionUserId } from './users/session-user-provider.js';

// passwords
export { BcryptPasswordHasher, MAX_PASSWORD_BYTES } from './passwords/bcrypt-password-hasher.js';
export { PasswordHasher } from './passwords/password-hasher.js';
export { DEFAULT_BCRYPT_COST, type PasswordOptions } from './passwords/passwords.options.js';

// events
export {
  AUDIT_VOCABULARY,
  recordableText,
  toAuditEntry,
  type AuditEntry,
  type AuditLevel,
} from './events/audit-entry.js';
export { AuditLog, LoggerAuditLog, type AuditErasure } from './events/audit-log.js';
export { SessionEventPublisher, type SessionEventListener } from './events/event-publisher.js';
export type {
  CsrfRejection,
  LoginFailure,
  LoginThrottleScope,
  RotationReason,
  SessionEndReason,
  SessionEvent,
  SessionEventType,
} from './events/session-event.js';

// throttle
export type {
  ClientFailureLimitOptions,
  FailureLimitOptions,
  LoginThrottleOptions,
} from './throttle/login-throttle.options.js';
export type { PasswordQueueOptions } from './throttle/password-queue.options.js';
export {
  LoginThrottleStore,
  type FailureCount,
  type FailureKey,
  type NewFailure,
} from './throttle/login-throttle-store.js';

// session
export type { CleanupOptions } from './session/cleanup.options.js';
export type { ExpiringRows } from './session/expiring-rows.js';
export { NewSessionNotifier, type NewSessionNotice } from './session/new-session-notifier.js';
export { SessionCleanupService, type CleanupReport } from './session/session-cleanup.service.js';
export type { ConcurrencyOptions, OnLimit, UserLimit } from './session/concurrency.options.js';
export { planAdmission, type Admission, type AdmissionPlan } from './session/concurrency-limit.js';
export { ConcurrentSessionsService } from './session/concurrent-sessions.service.js';
export { formatSessionCursor, parseSessionCursor, type SessionCursor } from './session/session-cursor.js';
export { handleOf } from './crypto/session-token.js';
export { sessionDataBytes } from './session/session-data.js';
export type { Authentication, NewSession, RenewingLogin } from './session/login-record.js';
export type { IssuedSession, RotateSession } from './session/session-rotation.js';
export type {
  EraseUser,
  ExportedDevice,
  ExportedLoginCount,
  ExportedSession,
  ExportUser,
  UserErasure,
  UserExport,
} from './session/personal-data.js';
export { SessionLifecycleService, type SessionsPage } from './session/session-lifecycle.service.js';
export {
  LIFETIME_PRESETS,
  type LifetimeOptions,
  type LifetimePreset,
  type OnReuse,
} from './session/lifetime.options.js';
export type { SessionData, SessionRecord, SessionRecordChanges } from './session/session-record.js';
export {
  isHonoured,
  standingOf,
  withRoles,
  type OtherToken,
  type TokenChanges,
  type TokenStanding,
} from './session/session-tokens.js';
export {
  SessionStore,
  type CreateOutcome,
  type DeleteByUserOutcome,
  type EndedSession,
  type FindOutcome,
  type RealmSessionsToEnd,
  type RotateOutcome,
  type Rotation,
  type SessionList,
  type SessionPage,
  type Touch,
  type UpdateOutcome,
  type UserSessionsToEnd,
} from './session/session-store.js';
export type { EndSessionsOfRealm } from './session/realm-sessions.js';
export {
  SessionLink,
  type AllSessionsEnded,
  type SessionChanged,
  type SessionEnd,
  type SessionEnded,
  type SessionLinkObserver,
  type SessionSignal,
  type WatchOptions,
} from './session/session-link.js';
export { SessionStoreHealthIndicator, type SessionStoreHealth } from './session/session-store-health-indicator.js';
export { Session } from './session/session.js';
export type { SessionView } from './session/session-view.js';
export type { UpstreamSession } from './session/upstream-session.js';

// http
export { asHttpException } from './http/http-exception.js';
export { SessionAuthErrorFilter } from './http/session-auth-error.filter.js';
export type { HttpOptions } from './http/http.options.js';
export { Passive } from './http/passive.decorator.js';

// near-cache
export type { NearCacheConsistency, NearCacheOptions } from './near-cache/near-cache.options.js';

// cookies
export type { CookieOptions } from './cookies/cookie.options.js';
export type { DeviceCookieOptions } from './cookies/device-cookie.options.js';

// fingerprint
export type {
  FingerprintHeaderOptions,
  FingerprintOptions,
  FingerprintPolicy,
  FingerprintRequest,
} from './fingerprint/fingerprint.options.js';

// remember-me
export type { OnTheft, RememberMeOptions } from './remember-me/remember-me.options.js';
export {
  RememberMeTokenStore,
  type RememberMeChanges,
  type RememberMeReplacement,
  type RememberMeReplaceOutcome,
  type RememberMeSuccessor,
  type RememberMeTokenRecord,
  type ReplacedValidator,
} from './remember-me/remember-me-token-store.js';
export type { ForgetDevice } from './remember-me/remember-me-revocation.js';
export {
  RememberMeService,
  type IssuedRememberMe,
  type RememberMeOutcome,
  type RememberedDevice,
} from './remember-me/remember-me.service.js';

// authentication
export { CurrentSession, CurrentUser, type SessionProperty } from './guards/parameter.decorators.js';
export { Public } from './guards/public.decorator.js';
export { FactorGuard, RequireFactor } from './guards/factor.guard.js';
export { FullAuthGuard, RequireFullAuth } from './guards/full-auth.guard.js';
export { RecentAuthGuard, RequireRecentAuth } from './guards/recent-auth.guard.js';
export { Roles, RolesGuard } from './guards/roles.guard.js';
export { SessionAuthGuard } from './guards/session-auth.guard.js';
export { SessionAuthService, type Credentials } from './login/session-auth.service.js';
export type { Login, LoginOptions, LoginUserOptions } from './login/sign-in.js';

// csrf
export { CsrfExempt } from './csrf/csrf-exempt.decorator.js';
export type { CsrfProtection } from './csrf/csrf-metadata.js';
export type { CsrfOptions } from './csrf/csrf.options.js';
export { CsrfProtected } from './csrf/csrf-protected.decorator.js';
export { CsrfGuard } from './csrf/csrf.guard.js';
export { CsrfService } from './csrf/csrf.service.js';
export { EmbeddingGuard } from './csrf/embedding.guard.js';

// endpoints
export type { EndpointName, EndpointsOptions } from './endpoints/endpoints.options.js';
export type { RedirectsOptions } from './endpoints/redirects.options.js';
export type { CsrfAnswer, LoginAnswer, SessionAnswer, SessionListItem } from './endpoints/answers.js';

// storage
export type { StorageOptions } from './storage/storage.options.js';
export { MemoryLoginThrottleStore } from './storage/memory/memory-login-throttle-store.js';
export { MemoryRememberMeTokenStore } from './storage/memory/memory-remember-me-token-store.js';
export { DEFAULT_MEMORY_SESSIONS, MemorySessionStore } from './storage/memory/memory-session-store.js';
