import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DAY, MINUTE, SECOND } from '../time/units.js';
import {
  isShared,
  MAX_USE_OF_LOST_SESSION,
  replacedSession,
  sessionOfLostAnswer,
  sessionsOf,
  standingOf,
  withSuccessor,
} from './remember-me-succession.js';
import type { RememberMeTokenRecord } from './remember-me-token-store.js';

const START = Date.UTC(2026, 0, 1);
const GRACE = 30 * SECOND;

/** As version 0.1 stored it: without a successor. */
const FRESH: RememberMeTokenRecord = {
  selector: 'selector',
  id: 'device',
  userId: 'alice',
  validatorDigest: 'v0',
  createdAt: START,
  lastUsedAt: START,
  expiresAt: START + 30 * DAY,
  sessionId: 's0',
};

/** A record after this validator and its session were issued. */
function handOut(
  record: RememberMeTokenRecord,
  presented: 'present' | 'successor',
  digest: string,
  now: number,
  reuseGrace = GRACE,
): RememberMeTokenRecord {
  const next = { digest, nonce: `nonce of ${digest}`, sessionId: `session of ${digest}` };
  const changes = withSuccessor(record, presented, { ...next, now, reuseGrace });
  return { ...record, ...changes, expiresAt: changes.expiresAt ?? record.expiresAt };
}

/** Marks the session of the last hand-out as made. */
function signedIn(record: RememberMeTokenRecord): RememberMeTokenRecord {
  return { ...record, sessionId: record.successor!.sessionId };
}

describe('a validator', () => {
  it('is the present one until its successor is presented, whatever time that takes', () => {
    const handedOut = handOut(FRESH, 'present', 'v1', START);
    for (const now of [START, START + GRACE, START + 29 * DAY]) {
      expect(standingOf(FRESH, 'v0', now)).toBe('present');
      expect(standingOf(handedOut, 'v0', now)).toBe('present');
      expect(standingOf(handedOut, 'v1', now)).toBe('successor');
    }
  });

  it('is in flight for the grace once its successor was presented, and replaced after it', () => {
    const promoted = handOut(handOut(FRESH, 'present', 'v1', START), 'successor', 'v2', START + DAY);
    expect(standingOf(promoted, 'v0', START + DAY + GRACE - 1)).toBe('in-flight');
    expect(standingOf(promoted, 'v0', START + DAY + GRACE)).toBe('replaced');
    expect(standingOf(promoted, 'v1', START + DAY)).toBe('present');
    expect(standingOf(promoted, 'v2', START + DAY)).toBe('successor');
  });

  it('is replaced at once where it is a successor that was thought lost', () => {
    const again = handOut(handOut(FRESH, 'present', 'v1', START), 'present', 'v1 again', START + GRACE);
    expect(standingOf(again, 'v1', START + GRACE)).toBe('replaced');
    expect(standingOf(again, 'v1 again', START + GRACE)).toBe('successor');
    expect(standingOf(again, 'v0', START + GRACE)).toBe('present');
  });

  it('is replaced where it was never handed out', () => {
    expect(standingOf(FRESH, 'guessed', START)).toBe('replaced');
    expect(standingOf(handOut(FRESH, 'present', 'v1', START), 'guessed', START)).toBe('replaced');
  });

  it('is in flight also through several restarts within the grace, of which a record keeps eight', () => {
    let record = handOut(FRESH, 'present', 'v1', START);
    for (let count = 2; count <= 12; count += 1) {
      record = handOut(record, 'successor', `v${count}`, START + count);
    }
    expect(record.replaced).toHaveLength(8);
    expect(standingOf(record, 'v10', START + 20)).toBe('in-flight');
    expect(standingOf(record, 'v3', START + 20)).toBe('in-flight');
    expect(standingOf(record, 'v2', START + 20)).toBe('replaced');
    const later = handOut(record, 'successor', 'v13', START + DAY);
    expect(later.replaced).toEqual([{ digest: 'v11', until: START + DAY + GRACE }]);
  });
});

describe('a hand-out', () => {
  it('notes what it brings and when, and leaves the rest', () => {
    const next = { digest: 'v1', nonce: 'n1', sessionId: 's1' };
    const context = { now: START + DAY, reuseGrace: GRACE };
    const successor = { ...next, at: START + DAY };
    expect(withSuccessor(FRESH, 'present', { ...next, ...context })).toEqual({
      successor,
      lastUsedAt: START + DAY,
      expiresAt: undefined,
    });
    expect(withSuccessor(FRESH, 'present', { ...next, ...context, expiresAt: START + 31 * DAY })).toEqual({
      successor,
      lastUsedAt: START + DAY,
      expiresAt: START + 31 * DAY,
    });
    const record = handOut(FRESH, 'present', 'v1', START);
    expect(withSuccessor(record, 'successor', { ...next, digest: 'v2', ...context })).toEqual({
      validatorDigest: 'v1',
      successor: { ...successor, digest: 'v2' },
      replaced: [{ digest: 'v0', until: START + DAY + GRACE }],
      sessionId: 'session of v1',
      lastUsedAt: START + DAY,
      expiresAt: undefined,
    });
  });

  it('is shared for the grace, and never with a grace of 0', () => {
    const record = handOut(FRESH, 'present', 'v1', START);
    expect(isShared(FRESH, START, GRACE)).toBe(false);
    expect(isShared(record, START + GRACE - 1, GRACE)).toBe(true);
    // by the clock of another node
    expect(isShared(record, START - SECOND, GRACE)).toBe(true);
    expect(isShared(record, START + GRACE, GRACE)).toBe(false);
    expect(isShared(record, START, 0)).toBe(false);
  });
});

describe('the session of a hand-out', () => {
  it('takes the place of the one that the device had', () => {
    const first = handOut(FRESH, 'present', 'v1', START);
    expect(replacedSession(FRESH)).toBeUndefined();
    expect(replacedSession(first)).toEqual({ id: 's0' });
    expect(sessionsOf(first)).toEqual(['s0', 'session of v1']);
    expect(replacedSession(signedIn(first))).toBeUndefined();
    expect(sessionsOf(signedIn(first))).toEqual(['session of v1']);
    const second = handOut(signedIn(first), 'successor', 'v2', START + DAY);
    expect(replacedSession(second)).toEqual({ id: 'session of v1' });
    expect(sessionsOf(FRESH)).toEqual(['s0']);
  });

  it('takes the place of that of a lost answer only if nobody used it for long', () => {
    const again = handOut(signedIn(handOut(FRESH, 'present', 'v1', START)), 'present', 'v1 again', START + DAY);
    expect(replacedSession(again)).toEqual({ id: 'session of v1', unlessUsedFor: MAX_USE_OF_LOST_SESSION });
    const third = handOut(signedIn(again), 'present', 'v1 for the third time', START + 2 * DAY);
    expect(replacedSession(third)).toEqual({ id: 'session of v1 again', unlessUsedFor: MINUTE });
  });

  it('takes the place of that of the first lost answer where the second hand-out signed nobody in', () => {
    const again = handOut(signedIn(handOut(FRESH, 'present', 'v1', START)), 'present', 'v1 again', START + DAY);
    const third = handOut(again, 'present', 'v1 for the third time', START + 2 * DAY);
    expect(replacedSession(third)).toEqual({ id: 'session of v1', unlessUsedFor: MINUTE });
  });

  it('takes the place of the one that the device had where no hand-out signed it in yet', () => {
    const again = handOut(handOut(FRESH, 'present', 'v1', START), 'present', 'v1 again', START + DAY);
    expect(replacedSession(again)).toEqual({ id: 's0' });
  });

  it('is that of a lost answer where the validator before is presented once more', () => {
    const first = handOut(FRESH, 'present', 'v1', START);
    expect(sessionOfLostAnswer(FRESH)).toBeUndefined();
    expect(sessionOfLostAnswer(first)).toBeUndefined();
    expect(sessionOfLostAnswer(signedIn(first))).toBe('session of v1');
    const again = handOut(signedIn(first), 'present', 'v1 again', START + DAY);
    expect(sessionOfLostAnswer(again)).toBe('session of v1');
    expect(sessionOfLostAnswer(signedIn(again))).toBe('session of v1 again');
    expect(sessionOfLostAnswer(handOut(signedIn(first), 'successor', 'v2', START + DAY))).toBeUndefined();
  });
});

/** A client that holds a validator, and the record that judges it. */
interface World {
  record: RememberMeTokenRecord;
  now: number;
  handedOut: number;
}

/** Presents a validator. Returns the validator issued for it, or undefined if it is refused. */
function present(world: World, digest: string): string | undefined {
  const { record, now } = world;
  const standing = standingOf(record, digest, now);
  if (standing === 'in-flight' || standing === 'replaced') return undefined;
  if (standing === 'present' && isShared(record, now, GRACE)) return record.successor!.digest;
  world.handedOut += 1;
  const next = `handed out as number ${world.handedOut}`;
  world.record = handOut(record, standing, next, now);
  return next;
}

const pause = fc.oneof(fc.nat({ max: 2 * GRACE }), fc.nat({ max: DAY }));

describe('whatever happens', () => {
  it('an honest client whose answers get lost is accepted for ever', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ pause, isLost: fc.boolean() }), { maxLength: 30 }), (visits) => {
        const world: World = { record: FRESH, now: START, handedOut: 0 };
        let held = 'v0';
        for (const visit of visits) {
          world.now += visit.pause;
          const next = present(world, held);
          expect(next).toBeDefined();
          if (!visit.isLost) held = next!;
        }
      }),
    );
  });

  it('what was replaced is never honoured again, and the record stays small', () => {
    const visit = fc.record({ pause, which: fc.nat({ max: 5 }) });
    fc.assert(
      fc.property(fc.array(visit, { maxLength: 40 }), (visits) => {
        const world: World = { record: FRESH, now: START, handedOut: 0 };
        const all = ['v0'];
        const over = new Set<string>();
        for (const { pause: passed, which } of visits) {
          world.now += passed;
          const digest = all.at(-1 - (which % all.length))!;
          const next = present(world, digest);
          if (over.has(digest)) expect(next).toBeUndefined();
          if (next !== undefined && !all.includes(next)) all.push(next);
          for (const each of all) {
            if (['in-flight', 'replaced'].includes(standingOf(world.record, each, world.now))) over.add(each);
          }
          expect(all.length - over.size).toBeLessThanOrEqual(2);
          expect(world.record.replaced?.length ?? 0).toBeLessThanOrEqual(8);
        }
      }),
    );
  });

  it('of two who hold one token and visit in turn, later than the grace, one is refused at the second visit', () => {
    const pauses = fc.array(fc.integer({ min: GRACE, max: DAY }), { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(pauses, ([owner, thief, ownerAgain, thiefAgain]) => {
        const world: World = { record: FRESH, now: START, handedOut: 0 };
        const held = { owner: 'v0', thief: 'v0' };
        const visits = [
          ['owner', owner],
          ['thief', thief],
          ['owner', ownerAgain],
          ['thief', thiefAgain],
        ] as const;
        const isAccepted = visits.map(([who, passed]) => {
          world.now += passed!;
          const next = present(world, held[who]);
          held[who] = next ?? held[who];
          return next !== undefined;
        });
        expect(isAccepted).toContain(false);
      }),
    );
  });
});
