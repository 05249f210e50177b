import { Clock } from 'nestjs-session-auth';

/** The system's clock, moved ahead by hand. */
export class ManualClock extends Clock {
  #ahead = 0;

  now(): number {
    return Date.now() + this.#ahead;
  }

  advance(milliseconds: number): void {
    this.#ahead += milliseconds;
  }
}
