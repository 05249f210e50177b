import { Catch, HttpException, Inject, type ArgumentsHost } from '@nestjs/common';
import { BaseExceptionFilter, HttpAdapterHost } from '@nestjs/core';

/** Sends a person who is not signed in to the login page; programs get JSON. */
@Catch(HttpException)
export class LoginPageFilter extends BaseExceptionFilter {
  constructor(@Inject(HttpAdapterHost) private readonly host: HttpAdapterHost) {
    super(host.httpAdapter);
  }

  override catch(error: HttpException, context: ArgumentsHost): void {
    const http = context.switchToHttp();
    const { headers } = http.getRequest<{ headers: Record<string, string | undefined> }>();
    const { code } = error.getResponse() as { code?: string };
    const isPage = headers['accept']?.includes('text/html') === true;
    if (code === 'session_required' && isPage) {
      this.host.httpAdapter.redirect(http.getResponse(), 303, '/login');
    } else {
      super.catch(error, context);
    }
  }
}
