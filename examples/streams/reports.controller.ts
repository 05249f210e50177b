import { Controller, Get, StreamableFile, UseGuards } from '@nestjs/common';
import { CurrentSession, SessionAuthGuard } from 'nestjs-session-auth';
import { Readable } from 'node:stream';

const MODEL = process.env['MODEL_URL'] ?? 'http://127.0.0.1:11434/api/generate';

@UseGuards(SessionAuthGuard)
@Controller('reports')
export class ReportsController {
  /** `fetch` closes its connection, so the other server stops too, and rejects with the reason: the response is 401. */
  @Get('summary')
  async summary(@CurrentSession('signal') signal: AbortSignal): Promise<object> {
    const answer = await fetch(MODEL, { method: 'POST', body: '{"prompt":"Sum up"}', signal });
    return (await answer.json()) as object;
  }

  @Get('all')
  all(@CurrentSession('signal') signal: AbortSignal): StreamableFile {
    return new StreamableFile(Readable.from(this.#lines(signal)));
  }

  async *#lines(signal: AbortSignal): AsyncGenerator<string> {
    for (let page = 1; page <= 1000; page += 1) {
      // the head is already sent: this cuts the connection, so that the client notices that a part is missing
      signal.throwIfAborted();
      yield await pageOf(page);
    }
  }
}

function pageOf(page: number): Promise<string> {
  return new Promise((resolve) => setTimeout(() => resolve(`page ${page}\n`), 10));
}
