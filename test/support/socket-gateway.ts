import { Inject, UseFilters, UseGuards } from '@nestjs/common';
import { ConnectedSocket, SubscribeMessage, WebSocketGateway, type WsResponse } from '@nestjs/websockets';
import {
  CsrfProtected,
  CurrentSession,
  CurrentUser,
  Public,
  RequireFactor,
  RequireFullAuth,
  RequireRecentAuth,
  Roles,
  SessionAuthErrorFilter,
  SessionAuthGuard,
  SessionAuthService,
  type Session,
  type SessionUser,
} from 'nestjs-session-auth';

/** What the handlers of a gateway were asked for: `name of the handler`. */
export const handled: string[] = [];
export const note = (name: string, data: unknown = name): WsResponse => {
  handled.push(name);
  return { event: 'done', data };
};

/** A handler for every kind of guard and decorator. */
@UseFilters(SessionAuthErrorFilter)
@WebSocketGateway()
export class DoorGateway {
  constructor(@Inject(SessionAuthService) private readonly auth: SessionAuthService) {}

  @SubscribeMessage('unmarked')
  unmarked(): WsResponse {
    return note('unmarked');
  }

  @Public()
  @SubscribeMessage('public')
  public(@CurrentSession('userId') userId?: string): WsResponse {
    return note('public', userId ?? null);
  }

  @Public()
  @SubscribeMessage('current')
  async current(@ConnectedSocket() client: object): Promise<WsResponse> {
    const session = await this.auth.current(client);
    return note('current', session?.userId ?? null);
  }

  @UseGuards(SessionAuthGuard)
  @SubscribeMessage('guarded')
  guarded(@CurrentSession() { userId, roles }: Session): WsResponse {
    return note('guarded', { userId, roles });
  }

  @Public()
  @SubscribeMessage('last-activity')
  lastActivity(@CurrentSession('lastActivityAt') at: Date): WsResponse {
    return note('last-activity', at.getTime());
  }

  @Roles('boss')
  @SubscribeMessage('roles')
  roles(): WsResponse {
    return note('roles');
  }

  @RequireRecentAuth('5m')
  @SubscribeMessage('recent')
  recent(): WsResponse {
    return note('recent');
  }

  @RequireFullAuth()
  @SubscribeMessage('full')
  full(): WsResponse {
    return note('full');
  }

  @RequireFactor('totp')
  @SubscribeMessage('factor')
  factor(): WsResponse {
    return note('factor');
  }

  @UseGuards(SessionAuthGuard)
  @SubscribeMessage('user')
  user(@CurrentUser() { id }: SessionUser): WsResponse {
    return note('user', id);
  }

  @CsrfProtected()
  @UseGuards(SessionAuthGuard)
  @SubscribeMessage('csrf')
  csrf(): WsResponse {
    return note('csrf');
  }

  @UseGuards(SessionAuthGuard)
  @SubscribeMessage('count')
  async count(@CurrentSession() session: Session<{ count: number }>): Promise<WsResponse> {
    await session.update({ count: (session.data.count ?? 0) + 1 });
    return note('count', session.data.count);
  }

  @UseGuards(SessionAuthGuard)
  @SubscribeMessage('service')
  async service(): Promise<WsResponse> {
    const answer = note('service');
    await this.auth.rolesChanged('alice', [5] as never);
    return answer;
  }
}
