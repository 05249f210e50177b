import type { DataSource } from 'typeorm';

/** Runs one operation after the other, each all or nothing. The stores of all realms share one instance. */
export class OneAtATime {
  #last: Promise<unknown> = Promise.resolve();

  constructor(private readonly database: DataSource) {}

  run<T>(operation: () => Promise<T>): Promise<T> {
    const step = this.#last.then(async () => {
      await this.database.query('BEGIN IMMEDIATE');
      try {
        const outcome = await operation();
        await this.database.query('COMMIT');
        return outcome;
      } catch (error) {
        await this.database.query('ROLLBACK');
        throw error;
      }
    });
    this.#last = step.catch(() => undefined);
    return step;
  }
}
