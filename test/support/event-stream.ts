import { Agent, request, type IncomingMessage } from 'node:http';
import { until } from './patience.js';

/** An event as a stream has it. */
export interface StreamEvent {
  readonly type: string;
  readonly data: string;
}

/** A response that is read while it comes. */
export class EventStream {
  #text = '';
  #state: 'open' | 'complete' | 'cut' = 'open';

  private constructor(private readonly response: IncomingMessage) {
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => (this.#text += chunk));
    response.on('error', () => undefined);
    response.on('close', () => (this.#state = response.complete ? 'complete' : 'cut'));
  }

  /** Resolves when the head has come. */
  static open(port: number, path: string, cookie = ''): Promise<EventStream> {
    return new Promise((resolve, reject) => {
      const headers = cookie === '' ? {} : { cookie };
      const agent = new Agent({ keepAlive: false });
      request({ host: '127.0.0.1', port, path, headers, agent }, (response) => resolve(new EventStream(response)))
        .on('error', reject)
        .end();
    });
  }

  get status(): number {
    return this.response.statusCode ?? 0;
  }

  get text(): string {
    return this.#text;
  }

  /** Whether it still comes, has come as a whole, or was cut. */
  get state(): 'open' | 'complete' | 'cut' {
    return this.#state;
  }

  get events(): StreamEvent[] {
    return this.#text
      .split('\n\n')
      .map((block) => ({
        type: /^event: (.*)$/m.exec(block)?.[1] ?? 'message',
        data: [...block.matchAll(/^data: (.*)$/gm)].map(([, line]) => line).join('\n'),
      }))
      .filter(({ data }) => data !== '');
  }

  /** Resolves with the last event when the response has ended in whatever way. */
  async last(): Promise<StreamEvent | undefined> {
    await until(() => this.#state !== 'open');
    return this.events.at(-1);
  }

  /** Resolves when so many more events have come. */
  async flows(count = 3): Promise<void> {
    const before = this.events.length;
    await until(() => this.events.length >= before + count);
  }

  close(): void {
    this.response.destroy();
  }
}
