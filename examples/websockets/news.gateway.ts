import { WebSocketGateway, WebSocketServer, type OnGatewayConnection } from '@nestjs/websockets';
import { SessionAuthService } from 'nestjs-session-auth';
import type { Server, Socket } from 'socket.io';

/** With socket.io: a room for each user, for messages to all of the user's devices. */
@WebSocketGateway()
export class NewsGateway implements OnGatewayConnection<Socket> {
  @WebSocketServer()
  private readonly server!: Server;

  constructor(private readonly auth: SessionAuthService) {}

  /** Nest runs no guard here and fills no decorator: the service knows the session of a client. */
  async handleConnection(client: Socket): Promise<void> {
    const session = await this.auth.current(client);
    if (session !== undefined) await client.join(`user:${session.userId}`);
  }

  tell(userId: string, news: string): void {
    this.server.to(`user:${userId}`).emit('news', news);
  }
}
