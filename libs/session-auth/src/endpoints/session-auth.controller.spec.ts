import { describe, expect, it } from '@jest/globals';
import { HttpException, type ExecutionContext } from '@nestjs/common';
import { firstValueFrom, of, throwError, type Observable } from 'rxjs';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { EndpointErrorsInterceptor } from './session-auth.controller.js';

const http = { getRequest: () => ({ headers: {} }), getResponse: () => ({}) };
const context = { getType: () => 'http', switchToHttp: () => http } as unknown as ExecutionContext;

function outcomeOf(answer: Observable<unknown>): Promise<unknown> {
  const handled = new EndpointErrorsInterceptor().intercept(context, { handle: () => answer });
  return firstValueFrom(handled).catch((error: unknown) => error);
}

describe('EndpointErrorsInterceptor', () => {
  it('lets answers and foreign errors pass', async () => {
    const error = new Error('a defect');
    expect(await outcomeOf(of('answer'))).toBe('answer');
    expect(await outcomeOf(throwError(() => error))).toBe(error);
  });

  it("makes an HTTP exception of the library's errors", async () => {
    const exception = await outcomeOf(throwError(() => new SessionAuthError('not_found', 'you have no such session')));
    expect(exception).toBeInstanceOf(HttpException);
    expect((exception as HttpException).getResponse()).toEqual({
      statusCode: 404,
      code: 'not_found',
      message: 'you have no such session',
    });
  });
});
