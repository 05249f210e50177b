import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { Logger } from '@nestjs/common';
import { SessionAuthError } from '../errors/session-auth.error.js';

/** Work that a response may have to wait for. */
export interface Awaited {
  readonly isDue: boolean;
  settle(): Promise<void>;
}

type Name = 'write' | 'end' | 'writeHead' | 'flushHeaders';
type Method = (...args: unknown[]) => unknown;

/** Headers that describe a body or redirect: an error that is sent instead does not carry them. */
const OF_THE_BODY = /^(content-.*|transfer-encoding|etag|last-modified|accept-ranges|location|refresh)$/;

/**
 * Holds a response if work must finish before its head is written, or before it ends. Calls are queued meanwhile. They
 * then run in the same order, with the head as it was at the first call. If there is no work, every call runs at once.
 *
 * If the work fails, or Node.js refuses a held call, `fail` is called to send an error instead. If the head has been
 * sent already, an error can no longer be sent: the connection is closed, so that the response does not look complete.
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
    // another response was sent, and waits
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
    // a writer that did not wait continues after the error was sent
    if (this.#hasFailed && name === 'write' && this.response.writableEnded) return false;
    const wasPassing = this.#isPassing;
    // Node.js itself calls writeHead
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

/** The head that is to be written. */
interface Head {
  readonly statusCode: number;
  readonly statusMessage: string;
  readonly headers: OutgoingHttpHeaders;
}

function headOf(response: ServerResponse): Head {
  const { statusCode, statusMessage } = response;
  return { statusCode, statusMessage, headers: { ...response.getHeaders() } };
}

/** Reverts changes by code that could not know that the response was sent. */
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

/** Headers that the awaited work sets. */
const KEPT = ['clear-site-data'];
