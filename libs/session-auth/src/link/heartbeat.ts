import { within, type LinkConnection } from './link-transport.js';

/** Milliseconds between the return of a beat and the next one. */
const PAUSE = 60;

/** Milliseconds after which a beat is overdue. With the pause before it, a dead connection is noticed within 250. */
export const OVERDUE = 150;

/** Sends one beat after the other on a connection, and rests while nobody needs them. */
export class Heartbeat {
  #timer: NodeJS.Timeout | undefined;
  #isResting = false;
  #isStopped = false;

  /**
   * @param isNeeded whether to continue; call {@link wake} when it becomes true
   * @param lost called once, when a beat fails or is overdue
   */
  constructor(
    private readonly connection: LinkConnection,
    private readonly isNeeded: () => boolean,
    private readonly lost: (error: unknown) => void,
  ) {}

  start(): void {
    this.#timer = setTimeout(() => this.#beat(), PAUSE).unref();
  }

  wake(): void {
    if (!this.#isResting) return;
    this.#isResting = false;
    this.#beat();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  #beat(): void {
    if (this.#isStopped) return;
    if (!this.isNeeded()) {
      this.#isResting = true;
      return;
    }
    within(OVERDUE, 'a heartbeat', this.connection.beat()).then(
      () => {
        if (!this.#isStopped) this.start();
      },
      (error: unknown) => {
        if (!this.#isStopped) this.lost(error);
      },
    );
  }
}
