import { UseFilters, UseGuards } from '@nestjs/common';
import { MessageBody, SubscribeMessage, WebSocketGateway, type WsResponse } from '@nestjs/websockets';
import {
  CurrentSession,
  Public,
  Roles,
  SessionAuthErrorFilter,
  SessionAuthGuard,
  type Session,
} from 'nestjs-session-auth';

@WebSocketGateway()
@UseGuards(SessionAuthGuard)
@UseFilters(SessionAuthErrorFilter) // Nest does not use global filters for messages
export class OrdersGateway {
  @SubscribeMessage('order')
  order(@CurrentSession('userId') userId: string, @MessageBody('item') item: string): WsResponse {
    return { event: 'ordered', data: { userId, item } };
  }

  /** `update` stores data in the session, as over HTTP. */
  @SubscribeMessage('basket')
  async basket(
    @CurrentSession() session: Session<{ basket: string[] }>,
    @MessageBody('item') item: string,
  ): Promise<WsResponse> {
    await session.update({ basket: [...(session.data.basket ?? []), item] });
    return { event: 'basket', data: session.data.basket };
  }

  @Roles('boss')
  @SubscribeMessage('close shop')
  closeShop(): WsResponse {
    return { event: 'closed', data: true };
  }

  @Public()
  @SubscribeMessage('prices')
  prices(): WsResponse {
    return { event: 'prices', data: { tea: 3 } };
  }
}
