import fc from 'fast-check';
import type { Admission } from 'nestjs-session-auth';
import * as account from './account-operations.js';
import { USERS, type Operation } from './operation.js';
import * as device from './remember-me-operations.js';
import * as session from './session-operations.js';
import type { ModelSettings } from './reference-session.js';

const MINUTE = 60_000;

const node = fc.constantFrom(0 as const, 1 as const);
const user = fc.constantFrom(...USERS);
// mostly something recent: what is old is mostly over
const index = fc.oneof(fc.nat({ max: 2 }), fc.nat({ max: 15 }));
const ip = fc.constantFrom('192.0.2.1', '192.0.2.2');
const value = fc.constantFrom(1, 'dark', null, { items: [1, 2] }, 'long '.repeat(10));
const data = fc.dictionary(fc.constantFrom('a', 'b', 'c'), value, { maxKeys: 2, noNullPrototype: true });
const patch = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.oneof(value, fc.constant(undefined)), {
  maxKeys: 2,
  noNullPrototype: true,
});
const grace = fc.constantFrom(undefined, 0, MINUTE / 2, 3 * MINUTE);
const reason = fc.constantFrom('replaced' as const, 'account_disabled' as const);
const admission: fc.Arbitrary<Admission> = fc.record({
  max: fc.constantFrom(1, 2, 3, Infinity),
  onLimit: fc.constantFrom('evict-oldest' as const, 'evict-least-recent' as const, 'reject' as const),
});
const accountChanges = fc.record(
  { roles: fc.constantFrom(['user'], ['user', 'admin'], []), email: fc.constantFrom('a@example.com', 'b@example.com') },
  { requiredKeys: [] },
);

const login = fc.tuple(node, user, data, ip).map((given) => session.login(...given));
const find = fc.tuple(node, index).map((given) => session.find(...given));
const update = fc.tuple(node, index, patch).map((given) => session.update(...given));
const rotate = fc.tuple(node, index, grace).map((given) => session.rotate(...given));
const proveAgain = fc
  .tuple(node, index, fc.constantFrom('login' as const, 'reauthentication' as const), ip)
  .map((given) => session.proveAgain(...given));
const factorCompleted = fc
  .tuple(node, index, fc.constantFrom('totp', 'passkey'))
  .map((given) => session.factorCompleted(...given));
const destroy = fc.tuple(node, index).map((given) => session.destroy(...given));
const destroySession = fc.tuple(node, index, reason).map((given) => session.destroySession(...given));
const revoke = fc.tuple(node, user, index).map((given) => account.revoke(...given));
const updateUser = fc.tuple(node, user, accountChanges).map((given) => account.updateUser(...given));
const consume = fc.tuple(node, index, fc.constant(false)).map((given) => device.consume(...given));
const signInRemembered = node.map(device.signInRemembered);
const wait = fc
  .oneof(
    fc.record({ ticks: fc.nat({ max: 3 }) }),
    fc.record({ due: index, offset: fc.constantFrom(-1 as const, 0 as const, 1 as const) }),
  )
  .map(account.wait);

const single: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 5, arbitrary: login },
  { weight: 1, arbitrary: fc.tuple(node, data, ip).map(([at, ...rest]) => session.login(at, undefined, ...rest)) },
  { weight: 1, arbitrary: fc.tuple(node, user, index, ip).map((given) => session.loginOver(...given)) },
  { weight: 5, arbitrary: find },
  { weight: 4, arbitrary: update },
  { weight: 4, arbitrary: rotate },
  { weight: 3, arbitrary: proveAgain },
  { weight: 2, arbitrary: factorCompleted },
  { weight: 2, arbitrary: destroy },
  { weight: 1, arbitrary: destroySession },
  { weight: 1, arbitrary: revoke },
  {
    weight: 1,
    arbitrary: fc.tuple(node, user, fc.option(index, { nil: undefined })).map((given) => account.revokeAll(...given)),
  },
  { weight: 2, arbitrary: updateUser },
  { weight: 1, arbitrary: fc.tuple(node, index).map((given) => account.credentialsChanged(...given)) },
  { weight: 2, arbitrary: fc.tuple(user, admission).map((given) => account.changeLimit(...given)) },
  { weight: 1, arbitrary: fc.tuple(node, user).map((given) => account.enforce(...given)) },
  { weight: 1, arbitrary: fc.tuple(node, user, fc.integer({ min: 1, max: 3 })).map((given) => account.list(...given)) },
  { weight: 1, arbitrary: fc.tuple(node, fc.constantFrom(1, 2, 1000)).map((given) => account.sweep(...given)) },
  { weight: 1, arbitrary: node.map(account.crash) },
  { weight: 7, arbitrary: wait },
  { weight: 3, arbitrary: fc.tuple(node, index, ip).map((given) => device.remember(...given)) },
  { weight: 5, arbitrary: consume },
  { weight: 1, arbitrary: fc.tuple(node, index).map((given) => device.consume(...given, true)) },
  { weight: 6, arbitrary: signInRemembered },
  {
    weight: 1,
    arbitrary: fc
      .tuple(node, fc.constantFrom('token' as const, 'device' as const, 'all' as const, 'others' as const), user, index)
      .map((given) => device.forget(...given)),
  },
);

// each of these is a single step of a store, so that some order of them must explain what they come to
const step = fc.oneof(
  login,
  find,
  update,
  rotate,
  proveAgain,
  factorCompleted,
  destroy,
  destroySession,
  revoke,
  updateUser,
);

/** Operations that start at the same time; usually one. */
export const operations: fc.Arbitrary<readonly Operation[]> = fc.oneof(
  { weight: 12, arbitrary: single.map((one) => [one]) },
  { weight: 1, arbitrary: fc.array(step, { minLength: 2, maxLength: 4 }) },
  { weight: 1, arbitrary: fc.array(login, { minLength: 2, maxLength: 4 }) },
  // about the same session
  {
    weight: 1,
    arbitrary: fc.tuple(index, node, node, grace, patch).map(([at, one, two, ...rest]) => race(at, one, two, ...rest)),
  },
  { weight: 1, arbitrary: fc.tuple(consume, consume) },
);

function race(at: number, one: 0 | 1, two: 0 | 1, time: number | undefined, written: object): Operation[] {
  return [
    session.rotate(one, at, time),
    session.rotate(two, at, time),
    session.factorCompleted(one, at, 'totp'),
    session.update(two, at, { ...written }),
    session.destroySession(one, at + (time === undefined ? 0 : 1), 'replaced'),
  ];
}

/** The settings of a run: times of minutes and hours, so that Redis' own clock never gets that far. */
export const settings: fc.Arbitrary<ModelSettings> = fc.record({
  idle: fc.constantFrom(30 * MINUTE, 150 * MINUTE),
  absolute: fc.constantFrom(60 * MINUTE, 120 * MINUTE),
  touchInterval: fc.constantFrom(0, MINUTE),
  rotationGrace: fc.constantFrom(MINUTE, 60 * MINUTE),
  maxDataSize: fc.constantFrom(60, 1000),
  rememberMe: fc.record({
    lifetime: fc.constant(240 * MINUTE),
    sliding: fc.boolean(),
    reuseGrace: fc.constantFrom(MINUTE, 180 * MINUTE),
    onTheft: fc.constantFrom('revoke-tokens-and-sessions' as const, 'revoke-tokens' as const),
  }),
});
