import { HOUR, newRecord, NOW } from './records.mjs';

/** Logs a user in a hundred times at once, and returns how often each outcome was there. */
export async function logInOften(store, admission) {
  const statuses = {};
  await Promise.all(
    Array.from({ length: 100 }, async () => {
      const { status } = await store.create(newRecord('alice'), admission, NOW);
      statuses[status] = (statuses[status] ?? 0) + 1;
    }),
  );
  return statuses;
}

/** Sweeps until there is nothing left, and returns whose sessions have gone. */
export async function sweep(store) {
  const ended = [];
  for (let step = [undefined]; step.length > 0;) {
    step = await store.deleteExpired(NOW + HOUR, 50);
    ended.push(...step.map(({ id }) => id));
  }
  return ended;
}

/** Counts two hundred failures of one account. */
export async function failOften(store) {
  const keys = [{ subject: 'alice', counter: 'a', window: HOUR }];
  const counts = await Promise.all(Array.from({ length: 200 }, () => store.add(keys, NOW)));
  return counts.map(([{ count }]) => count);
}
