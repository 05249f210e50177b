import { describe, expect, it } from '@jest/globals';
import { changed, nextDigest, promote, promoteNext, withSuccessors } from '../../test/fixtures/token-changes.js';
import { GRACE, newRecord, NOW } from '../testing/session-store/sample-records.js';
import { SECOND } from '../time/units.js';
import type { SessionRecord } from './session-record.js';
import {
  handedOutAt,
  haveRolesChanged,
  isHonoured,
  rolesOf,
  standingOf,
  withPromoted,
  withReplaced,
  withRoles,
  withSuccessor,
  type OtherToken,
} from './session-tokens.js';

const HARD = { now: NOW, grace: GRACE, kind: 'retired' } as const;
const PROOF = { ...HARD, kind: 'renewable' } as const;

describe('standingOf', () => {
  const record = newRecord('alice');

  it('tells the present token from one that was never of the session', () => {
    expect(standingOf(record, record.digest, NOW)).toEqual({ kind: 'present' });
    expect(standingOf(record, nextDigest(record), NOW)).toEqual({ kind: 'replaced' });
    expect(standingOf({ ...record, tokens: [] }, nextDigest(record), NOW)).toEqual({ kind: 'replaced' });
  });

  it.each(['superseded', 'retired', 'renewable'] as const)('knows a %s token until its time', (kind) => {
    const digest = nextDigest(record);
    const token: OtherToken = { hash: digest.slice(22), kind, at: NOW };
    expect(standingOf({ ...record, tokens: [token] }, digest, NOW - 1)).toEqual({ kind, token });
    expect(standingOf({ ...record, tokens: [token] }, digest, NOW)).toEqual({ kind: 'replaced' });
  });

  it('knows a successor for as long as it is not presented', () => {
    const digest = nextDigest(record);
    const token: OtherToken = { hash: digest.slice(22), kind: 'successor', at: NOW };
    expect(standingOf({ ...record, tokens: [token] }, digest, Infinity)).toEqual({ kind: 'successor', token });
  });

  it('knows each of several', () => {
    const digests = [nextDigest(record), nextDigest(record), nextDigest(record)];
    const kinds = ['successor', 'superseded', 'retired'] as const;
    const tokens = digests.map((digest, i): OtherToken => ({ hash: digest.slice(22), kind: kinds[i]!, at: NOW + 1 }));
    expect(digests.map((digest) => standingOf({ ...record, tokens }, digest, NOW).kind)).toEqual(kinds);
  });
});

describe('isHonoured', () => {
  it.each([
    ['present', true],
    ['successor', true],
    ['superseded', true],
    ['retired', false],
    ['renewable', false],
    ['replaced', false],
  ] as const)('of a token that is %s: %p', (kind, honoured) => {
    const token = { hash: '', at: NOW } as OtherToken;
    expect(isHonoured(kind === 'present' || kind === 'replaced' ? { kind } : { kind, token })).toBe(honoured);
  });
});

describe('withSuccessor', () => {
  it('leaves the token and hands out one more, with what it was given', () => {
    const record = newRecord('alice', { formerRoles: [['a'], ['b']] });
    const digest = nextDigest(record);
    const handedOut = changed(record, withSuccessor(record, digest, NOW, 5 * SECOND));
    const token = { hash: digest.slice(22), kind: 'successor', at: NOW, rolesSince: 2, grace: 5 * SECOND };
    expect(handedOut).toEqual({ ...record, tokens: [token] });
    expect(standingOf(handedOut, record.digest, NOW)).toEqual({ kind: 'present' });
  });

  it('has at most four out: the oldest counts as replaced', () => {
    const { record, digests } = withSuccessors(newRecord('alice'), 6);
    const standings = digests.map((digest) => standingOf(record, digest, NOW).kind);
    expect(standings).toEqual(['replaced', 'replaced', ...new Array<string>(4).fill('successor')]);
    expect(record.tokens).toHaveLength(4);
    expect(standingOf(record, record.digest, NOW).kind).toBe('present');
  });

  it('counts each successor once, when the clock of a node is behind', () => {
    const { record, digests } = withSuccessors(newRecord('alice'), 2, NOW + SECOND);
    const again = changed(record, withSuccessor(record, nextDigest(record), NOW));
    expect(again.tokens).toHaveLength(3);
    const promoted = promote(record, digests[0]!, NOW, GRACE);
    expect(standingOf(promoted, digests[1]!, NOW).kind).toBe('replaced');
  });

  it('keeps replaced tokens for as long as they are something, and no longer', () => {
    const first = newRecord('alice');
    const second = changed(first, withReplaced(first, nextDigest(first), PROOF));
    const inTime = changed(second, withSuccessor(second, nextDigest(first), NOW + GRACE - 1));
    expect(standingOf(inTime, first.digest, NOW).kind).toBe('renewable');
    const later = changed(second, withSuccessor(second, nextDigest(first), NOW + GRACE));
    expect(standingOf(later, first.digest, NOW).kind).toBe('replaced');
    expect(later.tokens).toHaveLength(1);
  });
});

describe('handedOutAt', () => {
  it('is when the last successor was handed out, as long as one is out', () => {
    let record = newRecord('alice');
    expect(handedOutAt(record)).toBeUndefined();
    for (const at of [NOW + 3, NOW + 5]) {
      record = changed(record, withSuccessor(record, nextDigest(record), at));
      expect(handedOutAt(record)).toBe(at);
    }
    const promoted = changed(record, withPromoted(record, record.tokens![1]!, NOW + 6, GRACE));
    expect(handedOutAt(promoted)).toBeUndefined();
  });
});

describe('withPromoted', () => {
  it('makes the first successor that is presented the token, honours the one before, and replaces the others', () => {
    for (const first of [0, 1, 2]) {
      const { record, digests } = withSuccessors(newRecord('alice'), 3);
      const now = NOW + 10 * SECOND;
      const promoted = promote(record, digests[first]!, now, GRACE);
      expect(promoted.digest).toBe(digests[first]);
      expect(promoted.rotatedAt).toBe(NOW + first);
      const others = digests.filter((_, place) => place !== first);
      expect(others.map((digest) => standingOf(promoted, digest, now).kind)).toEqual(['replaced', 'replaced']);
      expect(standingOf(promoted, record.digest, now + GRACE - 1).kind).toBe('superseded');
      expect(standingOf(promoted, record.digest, now + GRACE).kind).toBe('replaced');
    }
  });

  it('honours no token for longer than a newer one', () => {
    const first = newRecord('alice');
    const second = promoteNext(first, NOW, GRACE);
    const third = promoteNext(second, NOW + 1, SECOND);
    expect(standingOf(third, first.digest, NOW + SECOND).kind).toBe('superseded');
    expect(standingOf(third, first.digest, NOW + 1 + SECOND).kind).toBe('replaced');
    const fourth = promoteNext(third, NOW + 2, GRACE);
    expect(standingOf(fourth, first.digest, NOW + 1 + SECOND).kind).toBe('replaced');
  });

  it('honours none of the tokens before without a grace', () => {
    const first = newRecord('alice');
    const third = promoteNext(promoteNext(first, NOW, GRACE), NOW, 0);
    expect(standingOf(third, first.digest, NOW).kind).toBe('replaced');
  });

  it('holds at most eight tokens of before, the newest of them', () => {
    let record = newRecord('alice');
    const digests: string[] = [];
    for (let i = 0; i < 10; i++) {
      digests.push(record.digest);
      record = promoteNext(record, NOW, GRACE);
    }
    const standings = digests.map((digest) => standingOf(record, digest, NOW).kind);
    expect(standings).toEqual(['replaced', 'replaced', ...new Array<string>(8).fill('superseded')]);
    expect(record.tokens).toHaveLength(8);
  });

  it('takes nothing from the time of a token that is refused', () => {
    const first = newRecord('alice');
    const second = changed(first, withReplaced(first, nextDigest(first), PROOF));
    const third = promoteNext(second, NOW, 0);
    expect(standingOf(third, first.digest, NOW + GRACE - 1).kind).toBe('renewable');
    expect(standingOf(third, first.digest, NOW + GRACE).kind).toBe('replaced');
  });
});

describe('withReplaced', () => {
  const first = newRecord('alice', { rotatedAt: 0 });
  const second = promoteNext(first, NOW - 2, GRACE);
  const { record, digests: successors } = withSuccessors(second, 2, NOW - GRACE);

  it.each(['retired', 'renewable'] as const)('puts a token in place at once, and refuses all others: %s', (kind) => {
    const digest = nextDigest(record);
    const replaced = changed(record, withReplaced(record, digest, { ...HARD, kind }));
    expect(replaced).toMatchObject({ digest, rotatedAt: NOW });
    expect(standingOf(replaced, record.digest, NOW).kind).toBe(kind);
    // a form that was sent twice may have been answered with any of these
    for (const successor of successors) expect(standingOf(replaced, successor, NOW).kind).toBe(kind);
    expect(standingOf(replaced, first.digest, NOW).kind).toBe('retired');
  });

  it('takes the use of the token before, and of a successor of any age, for no reuse while its grace lasts', () => {
    const replaced = changed(record, withReplaced(record, nextDigest(record), HARD));
    for (const other of [record.digest, ...successors]) {
      expect(standingOf(replaced, other, NOW + GRACE - 1).kind).toBe('retired');
      expect(standingOf(replaced, other, NOW + GRACE).kind).toBe('replaced');
    }
  });

  it('gives a token that was superseded no more time than it had', () => {
    const replaced = changed(record, withReplaced(record, nextDigest(record), HARD));
    expect(standingOf(replaced, first.digest, NOW + GRACE - 3).kind).toBe('retired');
    expect(standingOf(replaced, first.digest, NOW + GRACE - 2).kind).toBe('replaced');
  });

  it('knows no other token any more without a grace', () => {
    const replaced = changed(record, withReplaced(record, nextDigest(record), { ...PROOF, grace: 0 }));
    expect(replaced.tokens).toEqual([]);
    for (const other of [first.digest, record.digest, ...successors]) {
      expect(standingOf(replaced, other, NOW).kind).toBe('replaced');
    }
  });

  it('keeps a token renewable through further proofs, until it is replaced by anything else', () => {
    const proved = changed(record, withReplaced(record, nextDigest(record), PROOF));
    const again = changed(proved, withReplaced(proved, nextDigest(record), PROOF));
    expect(standingOf(again, record.digest, NOW).kind).toBe('renewable');
    expect(standingOf(again, proved.digest, NOW).kind).toBe('renewable');
    const hard = changed(again, withReplaced(again, nextDigest(record), HARD));
    for (const { digest } of [record, proved, again]) expect(standingOf(hard, digest, NOW).kind).toBe('retired');
    const provedLater = changed(hard, withReplaced(hard, nextDigest(record), PROOF));
    for (const { digest } of [record, proved, again]) expect(standingOf(provedLater, digest, NOW).kind).toBe('retired');
  });

  it('holds at most eight tokens of before', () => {
    let last = record;
    for (let i = 0; i < 10; i++) last = changed(last, withReplaced(last, nextDigest(last), HARD));
    expect(last.tokens).toHaveLength(8);
    expect(last.tokens!.every(({ kind }) => kind === 'retired')).toBe(true);
  });
});

describe('withRoles', () => {
  it('keeps in mind what the roles were, once for every change', () => {
    let record = newRecord('alice', { roles: ['a'] });
    record = { ...record, ...withRoles(record, ['a', 'b']) };
    record = { ...record, ...withRoles(record, []) };
    expect(record).toMatchObject({ roles: [], formerRoles: [['a'], ['a', 'b']] });
  });

  it('changes nothing for the same roles, or none that are given', () => {
    const record = newRecord('alice', { roles: ['a', 'b'], formerRoles: [['c']] });
    expect(withRoles(record, ['a', 'b'])).toEqual({});
    expect(withRoles(record)).toEqual({});
    expect(withRoles(record, ['a', 'c'])).not.toEqual({});
    expect(withRoles(record, ['a'])).not.toEqual({});
    expect(withRoles(record, ['a', 'b', 'c'])).not.toEqual({});
  });
});

describe('haveRolesChanged', () => {
  it('tells whether a change is newer than the present token', () => {
    const record = newRecord('alice', { roles: ['a'] });
    expect(haveRolesChanged(record)).toBe(false);
    const gained = { ...record, ...withRoles(record, ['a', 'b']) };
    expect(haveRolesChanged(gained)).toBe(true);
    const { record: handedOut, digests } = withSuccessors(gained, 1);
    expect(haveRolesChanged(handedOut)).toBe(true);
    const promoted = promote(handedOut, digests[0]!, NOW, GRACE);
    expect(haveRolesChanged(promoted)).toBe(false);
    expect(haveRolesChanged({ ...promoted, ...withRoles(promoted, ['a']) })).toBe(true);
    expect(haveRolesChanged(changed(gained, withReplaced(gained, nextDigest(gained), HARD)))).toBe(false);
  });
});

describe('rolesOf', () => {
  const record = newRecord('alice', { roles: ['a', 'b'] });

  it('gives a gained role to tokens issued after, and takes a lost one from all', () => {
    const altered = { ...record, ...withRoles(record, ['b', 'c']) };
    const { record: handedOut, digests } = withSuccessors(altered, 1);
    expect(rolesFor(handedOut, record.digest)).toEqual(['b']);
    expect(rolesFor(handedOut, digests[0]!)).toEqual(['b', 'c']);
    const promoted = promote(handedOut, digests[0]!, NOW, GRACE);
    expect(rolesFor(promoted, record.digest)).toEqual(['b']);
    expect(rolesFor(promoted, promoted.digest)).toEqual(['b', 'c']);
    const lost = { ...promoted, ...withRoles(promoted, ['c']) };
    expect(rolesFor(lost, record.digest)).toEqual([]);
    expect(rolesFor(lost, promoted.digest)).toEqual(['c']);
  });

  it('gives a role back that was lost in between with a new token only', () => {
    const lost = { ...record, ...withRoles(record, ['b']) };
    const regained = { ...lost, ...withRoles(lost, ['a', 'b']) };
    expect(rolesFor(regained, record.digest)).toEqual(['b']);
    const next = changed(regained, withReplaced(regained, nextDigest(record), HARD));
    expect(rolesFor(next, next.digest)).toEqual(['a', 'b']);
  });

  it('keeps former roles for as long as a token from then is honoured, and no longer', () => {
    const gained = { ...record, ...withRoles(record, ['a', 'b', 'c']) };
    const promoted = promoteNext(gained, NOW, GRACE);
    expect(promoted.formerRoles).toEqual([['a', 'b']]);
    const again = promoteNext(promoted, NOW + GRACE, GRACE);
    expect(again.formerRoles).toEqual([]);
    expect(rolesFor(again, promoted.digest, NOW + GRACE)).toEqual(['a', 'b', 'c']);
    const hard = changed(gained, withReplaced(gained, nextDigest(gained), PROOF));
    expect(hard.formerRoles).toEqual([]);
  });
});

function rolesFor(record: SessionRecord, digest: string, now = NOW): readonly string[] {
  return rolesOf(record, standingOf(record, digest, now));
}
