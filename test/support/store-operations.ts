import fc from 'fast-check';
import type { Admission, SessionRecord, SessionStore } from 'nestjs-session-auth';

/** Runs one operation on a store and returns its outcome. */
export interface Operation {
  /** How many milliseconds after the operation before. */
  readonly after: number;
  run(store: SessionStore, now: number): Promise<unknown>;
  toString(): string;
}

const IDLE = 200;

/** An outcome without what two stores may tell in different ways: zeros, nothings, and the order of what ended. */
export function asWritten(outcome: unknown): unknown {
  return JSON.parse(JSON.stringify(outcome ?? null), (key, value: unknown) => {
    if (value === 0 || (Array.isArray(value) && value.length === 0)) return undefined;
    if (!['evicted', 'replaced', 'ended'].includes(key) || !Array.isArray(value)) return value;
    return (value as { readonly id: string }[]).sort((a, b) => (a.id < b.id ? -1 : 1));
  }) as unknown;
}

const user = fc.constantFrom('alice', 'alice', 'bob', undefined);
const account = fc.constantFrom('alice', 'bob');
const handle = fc.constantFrom(...['a', 'b', 'c', 'd'].map((letter) => letter.repeat(20)));
const hash = fc.constantFrom(...['1', '1', '2', '.'].map((digit) => digit.repeat(43)));
const digest = fc.tuple(handle, hash).map(([of, secret]) => `aa${of}${secret}`);
const roles = fc.uniqueArray(fc.constantFrom('admin', 'a"b', '\0', 'ü'), { maxLength: 2 });
const later = fc.integer({ min: 1, max: 100 });

const tokenFields = fc.record(
  {
    tokens: fc.uniqueArray(
      fc.record({
        hash,
        kind: fc.constantFrom('successor', 'superseded', 'retired', 'renewable'),
        at: later.map((after) => 1_800_000_000_000 + 5 * after),
        rolesSince: fc.constantFrom(1, 2),
      }),
      { selector: (token) => token.hash, maxLength: 3 },
    ),
    formerRoles: fc.array(roles, { maxLength: 2 }),
    rolesSince: fc.nat(2),
  },
  { requiredKeys: [] },
);

const patch = fc.dictionary(
  fc.constantFrom('a', 'b', '\0', '__proto__'),
  fc.constantFrom(undefined, 1, 'x\0\n', { y: [] }),
  { noNullPrototype: true },
);

const admission: fc.Arbitrary<Admission> = fc.record(
  {
    max: fc.constantFrom(1, 2, Infinity),
    onLimit: fc.constantFrom('evict-oldest', 'evict-least-recent', 'reject'),
    sharedFor: fc.constantFrom(0, 30, Infinity),
    replaces: fc.record({ id: handle, unlessUsedFor: fc.constantFrom(0, 20, 20, Infinity) }, { requiredKeys: ['id'] }),
  },
  { requiredKeys: ['max', 'onLimit'] },
);

/** Returns an operation on a store, of a few users and sessions: one often meets what another has left. */
export function operation(): fc.Arbitrary<Operation> {
  // logins outnumber the rest, so that there is something to work on
  return fc.oneof({ weight: 6, arbitrary: creation() }, find(), find(), update(), rotation(), rotation(), ...others());
}

function creation(): fc.Arbitrary<Operation> {
  const fields = fc.record({
    digest,
    userId: user,
    roles,
    device: fc.constantFrom(undefined, undefined, 'phone', 'laptop\0'),
    email: fc.constantFrom(undefined, 'a@example.com'),
    tokenFields,
    life: fc.constantFrom(20, 300, 3000),
  });
  return operationOf(
    'create',
    fc.tuple(fields, admission),
    async (store, now, [{ tokenFields: tokens, life, ...rest }, by]) => {
      const record: SessionRecord = {
        ...rest,
        ...tokens,
        id: rest.digest.slice(2, 22),
        createdAt: now,
        rotatedAt: now,
        lastActivityAt: now,
        expiresAt: now + life,
        absoluteExpiresAt: now + 2 * life,
        data: { a: 'first' },
      };
      const outcome = await store.create(record, by, now);
      // whether a refused login takes an expired session of the same handle with it is up to the store
      if (outcome.status !== 'created') await store.find(record.digest, { now, idle: IDLE, interval: Infinity });
      return outcome;
    },
  );
}

function find(): fc.Arbitrary<Operation> {
  return operationOf('find', fc.tuple(digest, fc.constantFrom(0, 20)), (store, now, [of, interval]) =>
    store.find(of, { now, idle: IDLE, interval }),
  );
}

function update(): fc.Arbitrary<Operation> {
  const values = fc.tuple(digest, patch, fc.constantFrom(10, 30, Infinity));
  return operationOf('update', values, (store, now, [of, changes, most]) => store.update(of, changes, now, most));
}

function rotation(): fc.Arbitrary<Operation> {
  const changes = fc.record(
    { roles, email: fc.constantFrom('', 'b@example.com'), ip: fc.constant('::1'), createdAt: fc.constant(1) },
    { requiredKeys: [] },
  );
  const expiry = fc.option(later, { nil: undefined });
  const values = fc.tuple(digest, hash, fc.constantFrom(0, 0, 0, 1, 2, 3), changes, tokenFields, expiry);
  return operationOf('rotate', values, (store, now, [of, next, revision, given, tokens, after]) => {
    const expiresAt = after && now + after;
    const all = { ...given, ...tokens, digest: of.slice(0, 22) + next, rotatedAt: now, expiresAt };
    return store.rotate(of, { revision, now, changes: all });
  });
}

function others(): fc.Arbitrary<Operation>[] {
  const page = { limit: 100 };
  const ofAccount = fc.record({ roles, email: fc.constant('c@example.com') }, { requiredKeys: [] });
  return [
    operationOf('delete', digest, (store, now, of) => store.delete(of, now)),
    operationOf('deleteByHandle', fc.tuple(account, handle), (store, now, [of, id]) =>
      store.deleteByHandle(of, id, now),
    ),
    operationOf('list', account, (store, now, of) => store.list(of, page, now)),
    operationOf('updateByUser', fc.tuple(account, ofAccount), (store, now, [of, changes]) =>
      store.updateByUser(of, changes, now),
    ),
    operationOf('deleteByUser', fc.tuple(account, handle), async (store, now, [of, except]) => {
      // whether `except` goes when it has expired is up to the store
      await store.deleteExpired(now, 100);
      return store.deleteByUser(of, { except, ...page }, now);
    }),
    operationOf('deleteExpired', fc.constant('all'), async (store, now) => ({
      // when what has ended with its realm is removed is up to the store
      ended: (await store.deleteExpired(now, 100)).filter(({ isReported = false }) => !isReported),
    })),
    operationOf('deleteByRealm', fc.constant('all'), async (store, now) => {
      await store.deleteByRealm!({}, now);
      return {};
    }),
  ];
}

function operationOf<T>(
  name: string,
  values: fc.Arbitrary<T>,
  run: (store: SessionStore, now: number, value: T) => Promise<unknown>,
): fc.Arbitrary<Operation> {
  return fc.tuple(fc.constantFrom(0, 1, 10, 50), values).map(([after, value]) => ({
    after,
    run: (store, now) => run(store, now, value),
    toString: () => `+${after} ${name} ${JSON.stringify(value)}`,
  }));
}
