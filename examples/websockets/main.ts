import type { INestApplication } from '@nestjs/common';
import { WsAdapter } from '@nestjs/platform-ws';
import { withSessions } from 'nestjs-session-auth/websockets';

/** Before `app.listen()`. With socket.io: `new IoAdapter(app)`. */
export function useSockets(app: INestApplication): void {
  app.useWebSocketAdapter(withSessions(new WsAdapter(app), app));
}
