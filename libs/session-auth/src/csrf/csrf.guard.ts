import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { stepOverHttpAtOnce } from '../http/http-error.js';
import { RequestSessions } from '../http/request-sessions.js';
import { csrfMetadata } from './csrf-metadata.js';
import { CsrfService } from './csrf.service.js';

/**
 * Lets a request pass that cannot be the work of another site: by a safe verb, or from a known origin and with the
 * token of {@link CsrfService.issue}. Costs no store call. {@link CsrfExempt} handlers are open; with `csrf.global` it
 * stands before every route.
 *
 * The verb is that of the request line: no `_method` field and no override header makes a request safe.
 *
 * @throws HttpException 403 `csrf_failed`, the same answer for every reason
 */
@Injectable()
export class CsrfGuard implements CanActivate {
  constructor(
    private readonly sessions: RequestSessions,
    private readonly csrf: CsrfService,
  ) {}

  canActivate(context: ExecutionContext): boolean {
    // messages on an open connection carry no cookie of their own: its handshake was the request
    if (context.getType() === 'rpc' || context.getType() === 'ws') return true;
    const protection = csrfMetadata.of(context);
    if (protection === 'exempt') return true;
    const requestSession = this.sessions.of(context);
    stepOverHttpAtOnce(requestSession.exchange, () => this.csrf.guard(requestSession, protection));
    return true;
  }
}
