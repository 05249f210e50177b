import { Injectable, Logger } from '@nestjs/common';

/** Stands for whatever you send mail with. */
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
