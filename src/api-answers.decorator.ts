import { applyDecorators } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiResponse, type ApiResponseOptions } from '@nestjs/swagger';
import { HTTP_STATUS_BY_CODE, type SessionAuthErrorCode } from 'nestjs-session-auth';

/** Says in the API document what a handler answers, and with which of the library's codes it refuses. */
export function ApiAnswers(
  summary: string,
  answer: ApiResponseOptions,
  ...refusals: readonly SessionAuthErrorCode[]
): MethodDecorator {
  const header = { name: 'x-csrf-token', required: true, description: 'A token of `GET /auth/csrf`.' };
  return applyDecorators(
    ApiOperation({ summary }),
    ApiResponse({ description: summary, ...answer }),
    ...(refusals.includes('csrf_failed') ? [ApiHeader(header)] : []),
    ...[...byStatus(refusals)].map(([status, codes]) => ApiResponse(refusal(status, codes))),
  );
}

function refusal(status: number, codes: readonly SessionAuthErrorCode[]): ApiResponseOptions {
  return {
    status,
    description: codes.map((code) => `\`${code}\``).join(' or '),
    schema: {
      type: 'object',
      required: ['statusCode', 'code', 'message', 'realm'],
      properties: {
        statusCode: { type: 'integer' },
        code: { type: 'string', enum: [...codes] },
        message: { type: 'string' },
        realm: { type: 'string' },
      },
    },
  };
}

function byStatus(codes: readonly SessionAuthErrorCode[]): Map<number, SessionAuthErrorCode[]> {
  const grouped = new Map<number, SessionAuthErrorCode[]>();
  for (const code of codes) {
    const status = HTTP_STATUS_BY_CODE[code];
    grouped.set(status, [...(grouped.get(status) ?? []), code]);
  }
  return grouped;
}
