import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** What a {@link FaultProxy} does to the connections that go through it. */
export type Fault =
  | { readonly kind: 'none' }
  /** Each piece of data takes so many milliseconds longer, to either side, or only to the client. */
  | { readonly kind: 'delay'; readonly milliseconds: number; readonly to?: 'client' }
  /** Nothing arrives anywhere, and nobody is told. What was open then stays dead afterwards. */
  | { readonly kind: 'black-hole' }
  /** Every connection, and each new one, ends in a reset. */
  | { readonly kind: 'reset' }
  /** Nobody listens. */
  | { readonly kind: 'refuse' };

interface Pair {
  readonly client: Socket;
  readonly upstream: Socket;
  /** The other end is gone and this one does not know. */
  isDead: boolean;
  /** What the server sent and the client has not got yet. */
  held: Buffer[];
  /** When the last piece that is under way to either side has arrived. */
  readonly underWay: Map<Socket, Promise<void>>;
}

/** A TCP proxy on a free port in front of a server of the tests, which breaks what it is told to break. */
export class FaultProxy {
  #fault: Fault = { kind: 'none' };
  readonly #pairs = new Set<Pair>();
  #sent = 0;
  #crashAfter = Infinity;
  #losing: 'request' | 'reply' = 'request';
  #holdFrom: Buffer | undefined;
  #server: Server;

  private constructor(private targetPort: number) {
    this.#server = createServer((client) => this.#accept(client));
  }

  /** @param targetPort of the server on 127.0.0.1 */
  static async start(targetPort: number): Promise<FaultProxy> {
    const proxy = new FaultProxy(targetPort);
    await proxy.#listen(0);
    return proxy;
  }

  #port = 0;

  get port(): number {
    return this.#port;
  }

  /** Pieces of data that clients sent since the start or `crashAfter`. */
  get sent(): number {
    return this.#sent;
  }

  /** An address of the target, by way of this proxy. */
  through(url: string): string {
    const proxied = new URL(url);
    proxied.port = String(this.#port);
    return proxied.href;
  }

  /** Where new connections go from now on: a server that was started anew has another port. */
  retarget(port: number): void {
    this.targetPort = port;
  }

  async break(fault: Exclude<Fault, { kind: 'none' }>): Promise<void> {
    this.#fault = fault;
    if (fault.kind === 'black-hole') this.cutSilently();
    if (fault.kind === 'reset' || fault.kind === 'refuse') this.reset();
    if (fault.kind === 'refuse') await this.#stopListening();
  }

  async heal(): Promise<void> {
    const { kind } = this.#fault;
    this.#fault = { kind: 'none' };
    this.#crashAfter = Infinity;
    this.#holdFrom = undefined;
    if (kind === 'refuse') await this.#listen(this.#port);
  }

  /** Half-open: what is connected now is dead, and no client is told; new connections work. */
  cutSilently(): void {
    for (const pair of this.#pairs) {
      pair.isDead = true;
      pair.upstream.destroy();
    }
  }

  /** Resets what is connected now; new connections work. */
  reset(): void {
    for (const { client, upstream } of this.#pairs) {
      client.resetAndDestroy();
      upstream.destroy();
    }
  }

  /**
   * Keeps what the server sends on a connection, from the first piece on that holds these bytes, until it closes the
   * connection: all of that arrives in one piece then, as it does at a client that was busy.
   */
  holdFrom(bytes: Buffer): void {
    this.#holdFrom = bytes;
  }

  /** Pieces of data that are held back. */
  get held(): number {
    return [...this.#pairs].reduce((count, { held }) => count + held.length, 0);
  }

  /**
   * What the server sees of a node that crashes: after so many pieces of data, counted from now, every connection is
   * reset and so is each new one.
   *
   * @param losing the next piece of data does not arrive any more, or it does and what is answered does not
   */
  crashAfter(pieces: number, losing: 'request' | 'reply'): void {
    this.#sent = 0;
    this.#crashAfter = pieces;
    this.#losing = losing;
  }

  get hasCrashed(): boolean {
    return this.#fault.kind === 'reset';
  }

  async close(): Promise<void> {
    for (const { client, upstream } of this.#pairs) {
      client.destroy();
      upstream.destroy();
    }
    if (this.#server.listening) await this.#stopListening();
  }

  async #listen(port: number): Promise<void> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async #stopListening(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }

  #accept(client: Socket): void {
    client.on('error', () => undefined);
    if (this.#fault.kind === 'reset') {
      client.resetAndDestroy();
      return;
    }
    const upstream = connect(this.targetPort, '127.0.0.1');
    const pair: Pair = { client, upstream, isDead: this.#fault.kind === 'black-hole', held: [], underWay: new Map() };
    this.#pairs.add(pair);
    client.setNoDelay(true);
    upstream.setNoDelay(true);
    upstream.on('error', () => undefined);
    client.on('data', (piece: Buffer) => {
      this.#sent += 1;
      if (this.#losing === 'request' && this.#sent > this.#crashAfter) this.#crash();
      else this.#forward(pair, upstream, piece);
    });
    upstream.on('data', (piece: Buffer) => {
      if (this.#losing === 'reply' && this.#sent > this.#crashAfter) this.#crash();
      else if (this.#isHeld(pair, piece)) pair.held.push(piece);
      else this.#forward(pair, client, piece);
    });
    client.on('close', () => {
      this.#pairs.delete(pair);
      upstream.destroy();
    });
    upstream.on('close', () => {
      if (pair.isDead) return;
      if (pair.held.length > 0) client.end(Buffer.concat(pair.held));
      else client.destroy();
    });
  }

  #isHeld(pair: Pair, piece: Buffer): boolean {
    return pair.held.length > 0 || (this.#holdFrom !== undefined && piece.includes(this.#holdFrom));
  }

  #crash(): void {
    this.#fault = { kind: 'reset' };
    this.reset();
  }

  #forward(pair: Pair, to: Socket, piece: Buffer): void {
    const pass = (): void => {
      if (!pair.isDead && to.writable) to.write(piece);
    };
    const before = pair.underWay.get(to);
    const isLate = this.#fault.kind === 'delay' && (this.#fault.to === undefined || to === pair.client);
    if (!isLate && before === undefined) return pass();
    // what comes later never overtakes: a connection keeps its order
    const late = isLate && this.#fault.kind === 'delay' ? pause(this.#fault.milliseconds) : undefined;
    const passed = Promise.all([before, late]).then(() => {
      pass();
      if (pair.underWay.get(to) === passed) pair.underWay.delete(to);
    });
    pair.underWay.set(to, passed);
  }
}
