import { Injectable } from '@nestjs/common';

/** A mail that a real bank would have sent. */
export interface Mail {
  readonly userId: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly at: Date;
}

const KEPT = 200;

/** The mails of this run, instead of sending them. */
@Injectable()
export class Outbox {
  readonly #mails: Mail[] = [];

  send(mail: Mail): void {
    this.#mails.push(mail);
    if (this.#mails.length > KEPT) this.#mails.shift();
  }

  /** The latest first. */
  all(): readonly Mail[] {
    return [...this.#mails].reverse();
  }
}
