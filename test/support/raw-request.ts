import { connect } from 'node:net';

/** The first line of an answer, and all of it. */
export interface RawAnswer {
  /** 0 where the connection was closed without an answer. */
  readonly status: number;
  readonly text: string;
}

/** Sends a request head line by line as it is, and a body, over a socket of its own: nothing tidies it up. */
export async function rawRequest(port: number, lines: readonly string[], body = ''): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port });
    let text = '';
    const end = (): void => resolve({ status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0), text });
    socket.setEncoding('latin1');
    socket.setTimeout(5000, () => socket.destroy(new Error(`no answer within 5 s to ${lines[0]}`)));
    socket.on('data', (chunk: string) => (text += chunk));
    // the server may close at once on what it cannot read
    socket.on('error', (error: NodeJS.ErrnoException) => (error.code === 'ECONNRESET' ? end() : reject(error)));
    socket.on('end', end);
    const length = body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`];
    socket.write([...lines, ...length, 'Connection: close', '', body].join('\r\n'));
  });
}
