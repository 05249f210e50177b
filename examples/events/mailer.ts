import { Injectable, Logger } from '@nestjs/common';

/** Replace it by your own mailer. */
@Injectable()
export class Mailer {
  readonly sent: string[] = [];
  readonly #logger = new Logger('Mailer');

  send(to: string, text: string): Promise<void> {
    this.sent.push(`${to}: ${text}`);
    this.#logger.log(`mail to ${to}`);
    return Promise.resolve();
  }
}
