import { Injectable, type ExecutionContext } from '@nestjs/common';
import { AuthGuard } from '@nestjs/passport';
import type { FastifyReply } from 'fastify';

@Injectable()
export class ProviderGuard extends AuthGuard('provider') {
  getResponse(context: ExecutionContext): unknown {
    return context.switchToHttp().getResponse<FastifyReply>().raw;
  }
}
