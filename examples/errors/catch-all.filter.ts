import { Catch, HttpException, Inject, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { asHttpException } from 'nestjs-session-auth';

@Catch()
export class CatchAllFilter implements ExceptionFilter {
  constructor(@Inject(HttpAdapterHost) private readonly adapterHost: HttpAdapterHost) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const error = asHttpException(thrown, host);
    const [body, status] =
      error instanceof HttpException ? [error.getResponse(), error.getStatus()] : [{ message: 'Something broke' }, 500];
    this.adapterHost.httpAdapter.reply(host.switchToHttp().getResponse(), body, status);
  }
}
