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

/** A clock that stands still unless it is moved: for what is asserted to the second. */
export class StoppedClock extends ManualClock {
  readonly #start = super.now();
  #moved = 0;

  override now(): number {
    return this.#start + this.#moved;
  }

  override advance(milliseconds: number): void {
    this.#moved += milliseconds;
  }
}
