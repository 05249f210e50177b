import { Injectable } from '@nestjs/common';

/**
 * Where the library takes the time from: milliseconds since the epoch.
 *
 * A provider of its own so that tests can move time (`overrideProvider(Clock)`) instead of waiting.
 */
export abstract class Clock {
  /** Milliseconds since the epoch, whole. */
  abstract now(): number;
}

/** The system's clock. */
@Injectable()
export class SystemClock extends Clock {
  now(): number {
    return Date.now();
  }
}
