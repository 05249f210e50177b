import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { isWhole } from './http-response.ts';

/** A connection to a server that sends one request at a time. */
export class KeepAliveConnection {
  private constructor(private readonly socket: Socket) {}

  static async open(port: number): Promise<KeepAliveConnection> {
    const socket = connect(port, '127.0.0.1');
    socket.setNoDelay(true);
    await once(socket, 'connect');
    return new KeepAliveConnection(socket);
  }

  /** Sends the text of a request, and resolves with the status once the whole response has arrived. */
  send(text: string): Promise<number> {
    return new Promise((resolve, reject) => {
      let received = '';
      const failed = (): void => reject(new Error('the server has closed the connection'));
      const heard = (piece: Buffer): void => {
        received += piece.toString('latin1');
        if (!isWhole(received)) return;
        this.socket.off('data', heard);
        this.socket.off('close', failed);
        resolve(Number(received.slice(9, 12)));
      };
      this.socket.on('data', heard);
      this.socket.once('close', failed);
      this.socket.write(text);
    });
  }

  close(): void {
    this.socket.destroy();
  }
}
