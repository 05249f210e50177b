import { Injectable, type ExecutionContext } from '@nestjs/common';
import { AuthGuard } from '@nestjs/passport';
import type { Request } from 'express';

/** Leaves a message for the login page, instead of 401. */
@Injectable()
export class LocalGuard extends AuthGuard('local') {
  override handleRequest<User>(error: unknown, user: User, _info: unknown, context: ExecutionContext): User {
    if (error) throw error as Error;
    if (!user) context.switchToHttp().getRequest<Request>().flash('error', 'Wrong e-mail or password');
    return user;
  }
}
