import type { ScaleFigures } from '../scale.ts';
import type { SizeFigures } from '../scale/measure-scale.ts';
import { table } from './tables.ts';

const inGroups = new Intl.NumberFormat('en');

const OPERATIONS = {
  roundTrip: 'a bare round trip (PING, SELECT 1)',
  read: 'read',
  login: 'login at the limit of 3',
  list: 'list of a user’s sessions',
  revokeAll: 'revoke all of a user',
} as const satisfies Partial<Record<keyof SizeFigures, string>>;

/** The report of a scale run in Markdown. */
export function scaleTables(figures: readonly ScaleFigures[], connectRedisBytes: number): string {
  const crowds = figures.map(({ store, crowd }) => [
    store,
    `${crowd.pages} pages of 100, the slowest ${crowd.longestPage.toFixed(1)} ms`,
    `${crowd.revoked} in ${crowd.revokeAll.toFixed(0)} ms`,
    `${crowd.longestRead.toFixed(1)} ms`,
  ]);
  const { sizes } = figures[0]!;
  const ours = sizes.at(-1)!.bytes;
  return [
    ...figures.map(curve),
    table(['a user with 10,000 sessions', 'listed', 'revoked', 'longest read of somebody else meanwhile'], crowds),
    `Redis memory a session, its share of the user’s index included: ${ours.toFixed(0)} bytes at ${inGroups.format(sizes.at(-1)!.size)} sessions; ` +
      `connect-redis with the same payload: ${connectRedisBytes.toFixed(0)} bytes. Ratio ${(ours / connectRedisBytes).toFixed(2)}.`,
  ].join('\n\n');
}

function curve({ store, sizes }: ScaleFigures): string {
  const first = sizes[0]!;
  const last = sizes.at(-1)!;
  const rows = Object.entries(OPERATIONS).map(([key, name]) => {
    const of = (each: SizeFigures): number => each[key as keyof SizeFigures];
    return [name, ...sizes.map((each) => of(each).toFixed(2)), (of(last) / of(first)).toFixed(2)];
  });
  rows.push(['bytes a session', ...sizes.map(({ bytes }) => bytes.toFixed(0)), '']);
  return table([`${store}: median ms at`, ...sizes.map(({ size }) => inGroups.format(size)), 'last / first'], rows);
}
