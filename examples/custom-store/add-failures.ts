import type { FailureCount, NewFailure } from 'nestjs-session-auth';
import type { DataSource } from 'typeorm';

const ADD = `INSERT INTO failure_count VALUES (?1, ?2, 1, ?4)
  ON CONFLICT DO UPDATE SET
    count = iif(until <= ?3, 1, count + 1),
    until = iif(until <= ?3, excluded.until, until)
  RETURNING count, until`;

/** `add` of the port: a count that has expired starts again. */
export function addFailures(
  database: DataSource,
  failures: readonly NewFailure[],
  now: number,
): Promise<readonly FailureCount[]> {
  return Promise.all(
    failures.map(async ({ subject, counter, window }) => {
      const [count] = await database.query<FailureCount[]>(ADD, [subject, counter, now, now + window]);
      return count!;
    }),
  );
}
