export { createSessionClient, type SessionClient } from './session-client.js';
export type {
  ErrorAnswer,
  LoginCredentials,
  SessionClientError,
  SessionClientHooks,
  SessionClientOptions,
} from './session-client.options.js';
export type { LoginAnswer } from '../endpoints/answers.js';
export type { SessionAuthentication } from '../users/session-authentication.js';
export type { SessionView } from '../session/session-view.js';
