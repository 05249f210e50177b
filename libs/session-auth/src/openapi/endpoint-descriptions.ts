import type { Type } from '@nestjs/common';
import type * as Swagger from '@nestjs/swagger';
import type { SessionAuthErrorCode } from '../errors/error-codes.js';
import type { AnswerModels } from './answer-models.js';

/** One endpoint in words: its response, and every code that it refuses with. */
export interface EndpointDescription {
  readonly summary: string;
  readonly description?: string;
  readonly needsSession?: boolean;
  readonly needsCsrfToken?: boolean;
  readonly setsCookie?: boolean;
  readonly body?: Type<object>;
  readonly more?: readonly MethodDecorator[];
  readonly answer: Swagger.ApiResponseOptions;
  readonly refusals: readonly SessionAuthErrorCode[];
}

/** Describes the endpoints by the names of the controller's methods. */
export function describeEndpoints(
  swagger: typeof Swagger,
  models: AnswerModels,
): Readonly<Record<string, EndpointDescription>> {
  return {
    csrfToken: {
      summary: 'A CSRF token, also before login',
      description: 'Without a session, it also sets a cookie that the token is bound to.',
      answer: { status: 200, type: models.CsrfAnswer },
      refusals: [],
    },
    login: {
      summary: 'Log in by e-mail and password',
      description: 'Unknown accounts, wrong passwords and disabled accounts get the same response.',
      needsCsrfToken: true,
      setsCookie: true,
      body: models.Login,
      answer: { status: 200, type: models.LoginAnswer },
      refusals: [
        'invalid_request',
        'password_too_long',
        'invalid_credentials',
        'csrf_failed',
        'session_limit_reached',
        'too_many_attempts',
        'server_busy',
        'session_store_unavailable',
      ],
    },
    logout: {
      summary: 'End this session, and forget this device',
      description: 'Repeating it does no harm, and neither does a missing session.',
      needsCsrfToken: true,
      answer: { status: 204, description: 'The session has ended.' },
      refusals: ['csrf_failed', 'session_store_unavailable'],
    },
    session: {
      summary: 'The current session, with a CSRF token for it',
      needsSession: true,
      answer: { status: 200, type: models.SessionAnswer },
      refusals: ['session_required', 'session_store_unavailable'],
    },
    sessions: {
      summary: 'Where the user is signed in, newest first',
      needsSession: true,
      answer: { status: 200, type: [models.SessionListItem] },
      refusals: ['session_required', 'session_store_unavailable'],
    },
    revoke: {
      summary: 'End one of the user’s sessions',
      needsSession: true,
      needsCsrfToken: true,
      more: [swagger.ApiParam({ name: 'id', type: String, description: 'The handle of the session.' })],
      answer: { status: 204, description: 'It has ended.' },
      refusals: [
        'session_required',
        'recent_authentication_required',
        'csrf_failed',
        'not_found',
        'session_store_unavailable',
      ],
    },
    revokeAll: {
      summary: 'End all other sessions of the user',
      needsSession: true,
      needsCsrfToken: true,
      more: [
        swagger.ApiQuery({ name: 'include', required: false, enum: ['current'], description: 'End this one as well.' }),
      ],
      answer: { status: 200, type: models.Revoked },
      refusals: [
        'invalid_request',
        'session_required',
        'recent_authentication_required',
        'csrf_failed',
        'session_store_unavailable',
      ],
    },
    reauthenticate: {
      summary: 'Enter the password again, for routes that require a recent login',
      needsSession: true,
      needsCsrfToken: true,
      setsCookie: true,
      body: models.Reauthentication,
      answer: { status: 200, type: models.LoginAnswer },
      refusals: [
        'invalid_request',
        'password_too_long',
        'session_required',
        'invalid_credentials',
        'csrf_failed',
        'too_many_attempts',
        'server_busy',
        'session_store_unavailable',
      ],
    },
  };
}
