import { Inject, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { RequestSessions } from '../http/request-sessions.js';

/**
 * Lets everybody pass, and puts the lazy session at hand for guards, decorators and services that come after.
 * Registered by the module for the whole application; costs no store call.
 */
export class SessionBindingGuard implements CanActivate {
  constructor(@Inject(RequestSessions) private readonly sessions: RequestSessions) {}

  canActivate(context: ExecutionContext): boolean {
    if (context.getType() === 'http') this.sessions.of(context);
    return true;
  }
}
