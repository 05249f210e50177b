import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { Logger } from '@nestjs/common';
import { SessionAuthError } from '../errors/session-auth.error.js';

/** What a response may have to wait for. */
export interface Awaited {
  readonly isDue: boolean;
  settle(): Promise<void>;
}

type Name = 'write' | 'end' | 'writeHead' | 'flushHeaders';
type Method = (...args: unknown[]) => unknown;

/** Headers that speak of a body, or lead elsewhere: they are not those of an error that is sent instead. */
const OF_THE_BODY = /^(content-.*|transfer-encoding|etag|last-modified|accept-ranges|location|refresh)$/;

/**
 * Holds a response back where something must be done before its head is written, or before it ends: what was called
 * meanwhile is called then, in the same order, under the head that was there when it was first called. Where there is
 * nothing to do, all goes through at once.
 *
 * When that fails, or when Node.js refuses what was held back, `fail` is called to send an error instead. Where the
 * head was sent before, nothing can be told any more: the connection is cut, so that nobody takes the response for a
 * whole one.
 */
export class HeldResponse {
  readonly #calls: (() => void)[] = [];
  #head: Head | undefined;
  #isPassing = false;
  #isEnded = false;
  #hasWaitingWriter = false;
  #hasFailed = false;

  constructor(
    private readonly response: ServerResponse,
    private readonly awaited: Awaited,
    private readonly fail: (error: unknown) => void,
  ) {
    for (const name of ['write', 'end', 'writeHead', 'flushHeaders'] as const) {
      // eslint-disable-next-line @typescript-eslint/unbound-method -- it is called with `apply`
      const original = response[name] as Method;
      const held = (...args: unknown[]): unknown => this.#call(name, () => original.apply(response, args));
      response[name] = held as never;
    }
  }

  #call(name: Name, call: () => unknown): unknown {
    if (this.#isPassing || this.#hasFailed) return this.#pass(name, call);
    // another one was sent, and waits
    if (this.#isEnded) return name === 'write' ? false : this.response;
    if (this.#head === undefined && !this.#mustWait(name)) return this.#pass(name, call);
    if (name === 'end') this.#isEnded = true;
    this.#calls.push(call);
    if (this.#head === undefined) this.#hold();
    if (name !== 'write') return this.response;
    this.#hasWaitingWriter = true;
    return false;
  }

  #mustWait(name: Name): boolean {
    return (name === 'end' ? !this.response.writableEnded : !this.response.headersSent) && this.awaited.isDue;
  }

  #pass(name: Name, call: () => unknown): unknown {
    // whoever did not wait goes on after the error that was sent
    if (this.#hasFailed && name === 'write' && this.response.writableEnded) return false;
    const wasPassing = this.#isPassing;
    // Node calls writeHead by itself
    this.#isPassing = true;
    try {
      return call();
    } finally {
      this.#isPassing = wasPassing;
    }
  }

  #hold(): void {
    const head = headOf(this.response);
    this.#head = head;
    this.awaited
      .settle()
      .then(() => this.#release(head))
      .catch((error: unknown) => this.#giveUp(error, head));
  }

  /** @throws what Node.js throws at a call that was held back: whoever made it is not there any more */
  #release(head: Head): void {
    const { response } = this;
    if (!response.headersSent) setHead(response, head);
    this.#head = undefined;
    this.#isPassing = true;
    let hasRoom = true;
    try {
      for (const call of this.#calls.splice(0)) hasRoom = (call() as unknown) !== false;
    } finally {
      this.#isPassing = false;
    }
    if (this.#hasWaitingWriter && hasRoom && !this.#isEnded) process.nextTick(() => response.emit('drain'));
    this.#hasWaitingWriter = false;
  }

  #giveUp(error: unknown, head: Head): void {
    const { response } = this;
    this.#hasFailed = true;
    this.#calls.splice(0);
    if (response.headersSent) {
      const what = error instanceof SessionAuthError ? `${error.code}: ${error.message}` : String(error);
      new Logger('SessionAuth').error(`a response that waited for req.session was cut: ${what}`);
      response.destroy();
      return;
    }
    setHead(response, head);
    for (const name of response.getHeaderNames()) if (OF_THE_BODY.test(name)) response.removeHeader(name);
    this.fail(error);
  }
}

/** What was to be written of a head. */
interface Head {
  readonly statusCode: number;
  readonly statusMessage: string;
  readonly headers: OutgoingHttpHeaders;
}

function headOf(response: ServerResponse): Head {
  const { statusCode, statusMessage } = response;
  return { statusCode, statusMessage, headers: { ...response.getHeaders() } };
}

/** Takes back what somebody has changed who could not know that the response was sent. */
function setHead(response: ServerResponse, { statusCode, statusMessage, headers }: Head): void {
  response.statusCode = statusCode;
  response.statusMessage = statusMessage;
  for (const name of response.getHeaderNames())
    if (!KEPT.includes(name) && !(name in headers)) response.removeHeader(name);
  for (const [name, value] of Object.entries(headers)) {
    const isKept = value === undefined || KEPT.includes(name) || response.getHeader(name) === value;
    if (!isKept) response.setHeader(name, value);
  }
}

/** Set by what was waited for. */
const KEPT = ['clear-site-data'];
