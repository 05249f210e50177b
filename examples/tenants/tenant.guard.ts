import { Inject, Injectable, NotFoundException, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { SessionAuthService } from 'nestjs-session-auth';

/** Lets only members of the tenant in the path pass. For everybody else, that tenant does not exist. */
@Injectable()
export class TenantGuard implements CanActivate {
  constructor(@Inject(SessionAuthService) private readonly auth: SessionAuthService) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<{ params: { tenant?: string } }>();
    const session = await this.auth.current(request);
    const isMember = session?.roles.includes(`tenant:${request.params.tenant}`) === true;
    if (!isMember) throw new NotFoundException();
    return true;
  }
}
