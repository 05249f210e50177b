import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { asHttpException } from '../http/http-exception.js';
import { namesGuard } from '../http/named-guard.js';
import { RequestSessionFactory } from '../http/request-session-factory.js';
import { CSRF, type CsrfProtection } from './csrf-metadata.js';
import { CsrfService } from './csrf.service.js';

/**
 * Lets a request pass that cannot be the work of another site: by a safe verb, or from a known origin and with the
 * token of {@link CsrfService.issue}. Costs no store call. {@link CsrfExempt} handlers are open, unless the handler itself
 * names this guard; with `csrf.global` it stands before every route.
 *
 * The verb is that of the request line: no `_method` field and no override header makes a request safe.
 *
 * @throws HttpException 403 `csrf_failed`, the same answer for every reason
 */
@Injectable()
export class CsrfGuard implements CanActivate {
  constructor(
    private readonly requestSessions: RequestSessionFactory,
    private readonly csrf: CsrfService,
    private readonly reflector: Reflector,
  ) {}

  canActivate(context: ExecutionContext): boolean {
    // messages on an open connection carry no cookie of their own: its handshake was the request
    if (context.getType() === 'rpc' || context.getType() === 'ws') return true;
    const targets = [context.getHandler(), context.getClass()];
    const protection = this.reflector.getAllAndOverride<CsrfProtection | 'exempt' | undefined>(CSRF, targets);
    if (protection === 'exempt' && !namesGuard(context, CsrfGuard)) return true;
    try {
      this.csrf.guard(this.requestSessions.of(context), protection === 'exempt' ? {} : protection);
      return true;
    } catch (error) {
      throw asHttpException(error, context);
    }
  }
}
