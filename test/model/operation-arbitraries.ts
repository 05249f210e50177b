import fc from 'fast-check';
import type { Admission } from 'nestjs-session-auth';
import * as account from './account-operations.js';
import * as logins from './login-operations.js';
import { USERS, type Operation } from './operation.js';
import * as remembered from './remember-me-operations.js';
import * as requests from './request-operations.js';
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

const arrival = fc.constantFrom('arrives' as const, 'gets lost' as const);
const device = fc.constantFrom(undefined, 'a laptop...', 'a phone....');
const plan = fc.record({ userId: user, data, ip, device, arrival });
const replacing = fc.record({
  userId: user,
  ip,
  device,
  replaces: index,
  unlessUsedFor: fc.constantFrom(undefined, 0, MINUTE),
});

const login = fc.tuple(node, plan).map((given) => logins.login(...given));
const signIn = fc.tuple(node, index, plan).map((given) => logins.signIn(...given));
const form = fc.constantFrom('reauthentication' as const, 'credentials_changed' as const);
const request = fc
  .tuple(node, index, fc.record({ form: fc.option(form, { nil: undefined }), arrival, ip }))
  .map((given) => requests.request(...given));
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
const visitPlan = fc.record({ ip, device, arrival, withSession: fc.option(index, { nil: undefined }) });
const visit = fc.tuple(node, index, visitPlan).map((given) => remembered.visit(...given));
const optionalIndex = fc.option(index, { nil: undefined });
const wait = fc
  .oneof(
    fc.record({ ticks: fc.nat({ max: 3 }) }),
    fc.record({ due: index, offset: fc.constantFrom(-1 as const, 0 as const, 1 as const) }),
  )
  .map(account.wait);

const single: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 5, arbitrary: login },
  { weight: 1, arbitrary: fc.tuple(node, fc.record({ data, ip })).map((given) => logins.login(...given)) },
  { weight: 1, arbitrary: fc.tuple(node, replacing).map((given) => logins.login(...given)) },
  { weight: 3, arbitrary: signIn },
  { weight: 10, arbitrary: request },
  { weight: 2, arbitrary: index.map(requests.lateAnswer) },
  { weight: 3, arbitrary: find },
  { weight: 1, arbitrary: fc.tuple(node, index).map((given) => session.forge(...given)) },
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
  { weight: 3, arbitrary: fc.tuple(node, index, ip).map((given) => remembered.remember(...given)) },
  { weight: 8, arbitrary: visit },
  {
    weight: 1,
    arbitrary: fc
      .tuple(node, index, visitPlan)
      .map(([at, which, plan]) => remembered.visit(at, which, { ...plan, isForged: true })),
  },
  { weight: 1, arbitrary: fc.tuple(node, index, optionalIndex).map((given) => remembered.forgetByToken(...given)) },
  { weight: 2, arbitrary: fc.tuple(node, index, index).map((given) => remembered.logout(...given)) },
  { weight: 1, arbitrary: fc.tuple(node, user, index).map((given) => remembered.forgetDevice(...given)) },
  { weight: 1, arbitrary: fc.tuple(node, user, optionalIndex).map((given) => remembered.forgetAll(...given)) },
);

/** Something that comes with a token of an index. */
function byToken(at: number): fc.Arbitrary<Operation> {
  const index = fc.constantFrom(at, at, at + 1);
  return fc.oneof(
    fc
      .tuple(node, index, fc.record({ form: fc.option(form, { nil: undefined }), arrival, ip }))
      .map((given) => requests.request(...given)),
    fc.tuple(node, index, plan).map((given) => logins.signIn(...given)),
    fc.tuple(node, index).map((given) => session.find(...given)),
    fc.tuple(node, index).map((given) => session.destroy(...given)),
    updateUser,
  );
}

/** Something that an open request does: each of a group takes one. */
const inRequest = fc.oneof(
  fc.tuple(node, grace).map(([at, given]) => session.rotate(at, 0, given)),
  fc
    .tuple(node, fc.constantFrom('login' as const, 'reauthentication' as const), ip)
    .map(([at, ...given]) => session.proveAgain(at, 0, ...given)),
  node.map((at) => session.factorCompleted(at, 0, 'totp')),
  fc.tuple(node, patch).map(([at, given]) => session.update(at, 0, given)),
  node.map((at) => session.destroySession(at, 0, 'replaced')),
  updateUser,
);

/** Requests by one token, which then go on at once. */
function afterFinds(at: number, atOnce: readonly Operation[]): Round {
  return [...atOnce.map(() => [session.find(0, at)]), atOnce];
}

/** A form that is sent twice. The client gets the second answer first, if it gets the other one at all. */
function twice(at: number, one: 0 | 1, other: 0 | 1, details: { form?: requests.Form; ip: string }): Round {
  return [
    [requests.request(one, at, { ...details, arrival: 'gets lost' })],
    [requests.request(other, at, { ...details, arrival: 'arrives' })],
  ];
}

// some order of the steps of these must explain what they come to
const step = fc.oneof(
  login,
  signIn,
  find,
  request,
  update,
  rotate,
  proveAgain,
  factorCompleted,
  destroy,
  destroySession,
  revoke,
  updateUser,
);

/** Groups of operations, one group after the other. Those of a group start at the same time. */
export type Round = readonly (readonly Operation[])[];

const twoOrMore = { minLength: 2, maxLength: 4 };

/** Mostly a single operation. */
export const rounds: fc.Arbitrary<Round> = fc.oneof(
  { weight: 16, arbitrary: single.map((one) => [[one]]) },
  { weight: 1, arbitrary: fc.array(step, twoOrMore).map((atOnce) => [atOnce]) },
  { weight: 1, arbitrary: fc.array(login, twoOrMore).map((atOnce) => [atOnce]) },
  { weight: 2, arbitrary: index.chain((at) => fc.array(byToken(at), twoOrMore)).map((atOnce) => [atOnce]) },
  { weight: 1, arbitrary: fc.tuple(index, fc.array(inRequest, twoOrMore)).map((given) => afterFinds(...given)) },
  { weight: 1, arbitrary: fc.tuple(index, node, node, fc.record({ form, ip })).map((given) => twice(...given)) },
  { weight: 1, arbitrary: fc.array(visit, { minLength: 2, maxLength: 3 }).map((atOnce) => [atOnce]) },
);

/** The settings of a run: times of minutes and hours, so that Redis' own clock never gets that far. */
export const settings: fc.Arbitrary<ModelSettings> = fc.record({
  idle: fc.constantFrom(30 * MINUTE, 150 * MINUTE),
  absolute: fc.constantFrom(60 * MINUTE, 120 * MINUTE),
  touchInterval: fc.constantFrom(0, MINUTE),
  rotationGrace: fc.constantFrom(0, MINUTE, 60 * MINUTE),
  rotateEvery: fc.constantFrom(undefined, MINUTE, 15 * MINUTE),
  onReuse: fc.constantFrom('report' as const, 'end-session' as const),
  maxDataSize: fc.constantFrom(60, 1000),
  rememberMe: fc.record({
    lifetime: fc.constant(240 * MINUTE),
    sliding: fc.boolean(),
    reuseGrace: fc.constantFrom(MINUTE, 180 * MINUTE),
    onTheft: fc.constantFrom('revoke-tokens-and-sessions' as const, 'revoke-tokens' as const),
  }),
});
