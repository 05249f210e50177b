import { median } from '../statistics.ts';
import { accountOf, CLIENT, LIMITED, type ScaledSessions } from './scaled-sessions.ts';

/** Medians in milliseconds at one number of live sessions, and bytes a session. */
export interface SizeFigures {
  readonly size: number;
  readonly bytes: number;
  readonly roundTrip: number;
  readonly read: number;
  readonly login: number;
  readonly list: number;
  readonly revokeAll: number;
}

/** What one user with very many sessions costs, in milliseconds. */
export interface CrowdFigures {
  readonly sessions: number;
  readonly pages: number;
  readonly longestPage: number;
  readonly revoked: number;
  readonly revokeAll: number;
  /** The longest that another user's read waited meanwhile. */
  readonly longestRead: number;
}

const PROBES = 300;
const LIMIT = 3;
const CROWDED_USER = 'crowd';

/** Users of three sessions each do the same as all others, one after another. */
export async function measureSize(sessions: ScaledSessions, size: number): Promise<SizeFigures> {
  const { lifecycle } = sessions;
  const startedAt = Date.now();
  const bytes = await sessions.bytes();
  const users = Array.from({ length: PROBES }, (_, index) => accountOf(`${LIMITED}${size}-${startedAt}-${index}`));
  const tokens: string[] = [];
  for (const user of users) {
    for (let i = 0; i < LIMIT; i++) tokens.push((await lifecycle.create({ user, client: CLIENT })).token);
  }
  const time = async (work: (index: number) => Promise<unknown>): Promise<number> => {
    const times: number[] = [];
    for (let index = 0; index < PROBES; index++) {
      const from = performance.now();
      await work(index);
      times.push(performance.now() - from);
    }
    return median(times);
  };
  const ofUser = (index: number): string => users[index]!.id;
  await time(() => sessions.roundTrip());
  return {
    size,
    bytes,
    roundTrip: await time(() => sessions.roundTrip()),
    read: await time((index) => lifecycle.find(tokens[LIMIT * index]!)),
    login: await time((index) => lifecycle.create({ user: users[index]!, client: CLIENT })),
    list: await time((index) => lifecycle.list(ofUser(index))),
    revokeAll: await time((index) => lifecycle.revokeAll(ofUser(index))),
  };
}

/** One user with many sessions: listed page by page, then all ended while others go on. */
export async function measureCrowd({ lifecycle }: ScaledSessions, count: number): Promise<CrowdFigures> {
  const user = accountOf(CROWDED_USER);
  let left = count;
  const worker = async (): Promise<void> => {
    while (left-- > 0) await lifecycle.create({ user, client: CLIENT });
  };
  await Promise.all(Array.from({ length: 16 }, worker));

  let pages = 0;
  let found = 0;
  let longestPage = 0;
  let cursor: string | undefined;
  do {
    const from = performance.now();
    const page = await lifecycle.list(CROWDED_USER, { limit: 100, cursor });
    longestPage = Math.max(longestPage, performance.now() - from);
    pages += 1;
    found += page.sessions.length;
    cursor = page.next;
  } while (cursor !== undefined);
  if (found !== count) throw new Error(`${found} of ${count} sessions were listed`);

  const { token } = await lifecycle.create({ user: accountOf('bystander'), client: CLIENT });
  let isOver = false;
  let longestRead = 0;
  const bystander = async (): Promise<void> => {
    while (!isOver) {
      const from = performance.now();
      await lifecycle.find(token);
      longestRead = Math.max(longestRead, performance.now() - from);
    }
  };
  const reading = bystander();
  const from = performance.now();
  const revoked = await lifecycle.revokeAll(CROWDED_USER);
  const revokeAll = performance.now() - from;
  isOver = true;
  await reading;
  return { sessions: count, pages, longestPage, revoked, revokeAll, longestRead };
}
