import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** What came back over one connection. */
export interface RawAnswer {
  /** The first answer's; 0 where the connection was closed without any. */
  readonly status: number;
  /** Those of all answers, in order. */
  readonly statuses: readonly number[];
  readonly text: string;
}

/** How a connection is made. */
export interface RawConnection {
  readonly tls?: boolean;
}

/** Sends a request head line by line as it is, and a body, over a socket of its own: nothing tidies it up. */
export async function rawRequest(
  port: number,
  lines: readonly string[],
  body = '',
  connection?: RawConnection,
): Promise<RawAnswer> {
  const length = body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`];
  return rawBytes(port, [...lines, ...length, 'Connection: close', '', body].join('\r\n'), connection);
}

/** Sends bytes as they are, and reads until the server closes. A text is sent in Latin-1, a byte a character. */
export async function rawBytes(
  port: number,
  bytes: string | Uint8Array,
  { tls = false }: RawConnection = {},
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const address = { host: '127.0.0.1', port };
    // the certificate was made for this run
    const socket = tls ? connectTls({ ...address, rejectUnauthorized: false }) : connect(address);
    let text = '';
    const end = (): void => {
      const statuses = [...text.matchAll(/HTTP\/1\.[01] (\d{3}) /g)].map(([, status]) => Number(status));
      resolve({ status: statuses[0] ?? 0, statuses, text });
    };
    socket.setEncoding('latin1');
    socket.setTimeout(5000, () => {
      const start = Buffer.from(bytes).toString('latin1', 0, 60);
      socket.destroy(new Error(`no answer within 5 s to ${JSON.stringify(start)}`));
    });
    socket.on('data', (chunk: string) => (text += chunk));
    // the server may close at once on what it cannot read
    socket.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'ECONNRESET' || error.code === 'EPIPE' ? end() : reject(error),
    );
    socket.on('end', end);
    socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  });
}
