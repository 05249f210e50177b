import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { changed, nextDigest, promote } from '../../test/fixtures/token-changes.js';
import { GRACE, newRecord, NOW } from '../testing/session-store/sample-records.js';
import { SECOND } from '../time/units.js';
import type { SessionRecord } from './session-record.js';
import {
  isHonoured,
  rolesOf,
  standingOf,
  withPromoted,
  withReplaced,
  withRoles,
  withSuccessor,
  type OtherToken,
} from './session-tokens.js';

describe('any sequence of changes, hand-outs and uses', () => {
  it('honours the tokens, with the roles, of a model that remembers everything', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 60 }), (steps) => {
        const run = new Run();
        for (const step of steps) {
          run.take(step);
          run.check();
        }
      }),
      { numRuns: 400 },
    );
  });

  it('forgets no former roles that a token still needs', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 40 }), fc.nat(SECOND), (steps, grace) => {
        const run = new Run();
        for (const step of steps) run.take(step);
        const { record, now } = run;
        for (const after of [...promotionsOf(record, now, grace), ...replacementsOf(record, now, grace)]) {
          for (const { digest } of run.tokens) {
            const standing = standingOf(after, digest, now);
            if (!isHonoured(standing)) continue;
            expect(rolesOf(after, standing)).toEqual(rolesOf(record, standingOf(record, digest, now)));
          }
        }
      }),
    );
  });
});

type Step =
  | { readonly do: 'wait'; readonly value: number }
  | { readonly do: 'present'; readonly value: number }
  | { readonly do: 'set roles'; readonly roles: readonly string[] }
  | { readonly do: 'hand out'; readonly roles?: readonly string[]; readonly grace?: number }
  | {
      readonly do: 'replace';
      readonly roles?: readonly string[];
      readonly grace: number;
      readonly kind: 'retired' | 'renewable';
    };

const someRoles = fc.subarray(['a', 'b', 'c', 'd']);
const maybeRoles = fc.option(someRoles, { nil: undefined });
const someGrace = fc.constantFrom(0, SECOND, GRACE);
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('wait' as const), value: fc.nat(GRACE / 4) }),
  fc.record({ do: fc.constant('present' as const), value: fc.nat(5) }),
  fc.record({ do: fc.constant('set roles' as const), roles: someRoles }),
  fc.record({
    do: fc.constant('hand out' as const),
    roles: maybeRoles,
    grace: fc.option(someGrace, { nil: undefined }),
  }),
  fc.record({
    do: fc.constant('replace' as const),
    roles: maybeRoles,
    grace: someGrace,
    kind: fc.constantFrom('retired' as const, 'renewable' as const),
  }),
);

/** A token in the model, with all roles that the session has had since the token was issued. */
interface ModelToken {
  readonly digest: string;
  readonly roles: (readonly string[])[];
  readonly grace?: number;
  kind: 'present' | 'replaced' | OtherToken['kind'];
  until: number;
}

/** A session beside its model, which remembers every token. */
class Run {
  record = newRecord('alice', { roles: ['a', 'b'] });
  now = NOW;
  readonly tokens: ModelToken[] = [
    { digest: this.record.digest, roles: [this.record.roles], kind: 'present', until: Infinity },
  ];

  take(step: Step): void {
    if (step.do === 'wait') this.now += step.value;
    else if (step.do === 'present') this.#present(step.value);
    else if (step.do === 'set roles') this.#setRoles(step.roles);
    else if (step.do === 'hand out') this.#handOut(step);
    else this.#replace(step);
    for (const token of this.tokens) if (token.until <= this.now) token.kind = 'replaced';
  }

  check(): void {
    const { record, now } = this;
    const { tokens = [] } = record;
    this.#forgetOldest();
    const standings = this.tokens.map(({ digest }) => standingOf(record, digest, now));
    expect(standings.map(({ kind }) => kind)).toEqual(this.tokens.map(({ kind }) => kind));
    const carried = standings.map((standing) => isHonoured(standing) && rolesOf(record, standing));
    expect(carried).toEqual(standings.map((standing, i) => isHonoured(standing) && this.#rolesEverSince(i)));
    const honouredUntil = tokens.filter(({ kind }) => kind === 'superseded').map(({ at }) => at);
    expect(honouredUntil).toEqual([...honouredUntil].sort((a, b) => b - a));
    expect(record.digest.slice(0, 22)).toBe(this.tokens[0]!.digest.slice(0, 22));
    expect(tokens.filter(({ kind }) => kind === 'successor').length).toBeLessThanOrEqual(4);
    expect(tokens.length).toBeLessThanOrEqual(12);
    const sinceWhen = [record, ...tokens].map(({ rolesSince = 0 }) => rolesSince);
    expect(Math.min(...sinceWhen)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...sinceWhen)).toBeLessThanOrEqual(record.formerRoles?.length ?? 0);
  }

  /** The present roles that the session has had in every state since a token was issued. */
  #rolesEverSince(token: number): string[] {
    const { roles: states } = this.tokens[token]!;
    return this.record.roles.filter((role) => states.every((roles) => roles.includes(role)));
  }

  #setRoles(roles: readonly string[] | undefined): void {
    this.record = { ...this.record, ...withRoles(this.record, roles) };
    if (roles !== undefined) for (const token of this.tokens) token.roles.push(roles);
  }

  #handOut({ roles, grace }: { readonly roles?: readonly string[]; readonly grace?: number }): void {
    this.#setRoles(roles);
    const digest = nextDigest(this.record);
    this.record = changed(this.record, withSuccessor(this.record, digest, this.now, grace));
    this.#issue({ digest, kind: 'successor', grace });
    for (const oldest of this.#ofKind('successor').slice(0, -4)) oldest.kind = 'replaced';
  }

  #present(choice: number): void {
    const successors = this.#ofKind('successor');
    if (successors.length === 0) return;
    const presented = successors[choice % successors.length]!;
    const until = this.now + (presented.grace ?? GRACE);
    this.record = promote(this.record, presented.digest, this.now, presented.grace ?? GRACE);
    for (const token of this.#ofKind('superseded')) token.until = Math.min(token.until, until);
    for (const token of this.#ofKind('present')) Object.assign(token, { kind: 'superseded', until });
    for (const token of successors) token.kind = token === presented ? 'present' : 'replaced';
  }

  #replace({ roles, grace, kind }: Extract<Step, { do: 'replace' }>): void {
    this.#setRoles(roles);
    const digest = nextDigest(this.record);
    const { now } = this;
    this.record = changed(this.record, withReplaced(this.record, digest, { now, grace, kind }));
    const until = now + grace;
    for (const token of this.tokens) {
      if (token.kind === 'replaced') continue;
      if (token.kind === 'present') Object.assign(token, { kind, until });
      else if (token.kind === 'successor') Object.assign(token, { kind, until });
      else if (token.kind !== 'renewable' || kind === 'retired') token.kind = 'retired';
      if (grace === 0) token.kind = 'replaced';
    }
    this.#issue({ digest, kind: 'present' });
  }

  #issue(token: Pick<ModelToken, 'digest' | 'kind' | 'grace'>): void {
    this.tokens.push({ ...token, roles: [this.record.roles], until: Infinity });
  }

  /** A record holds eight replaced tokens. If there are more, the model keeps the same ones. */
  #forgetOldest(): void {
    const known = this.tokens.filter(({ kind }) => kind !== 'replaced' && kind !== 'present' && kind !== 'successor');
    if (known.length <= 8) return;
    const kept = known.filter(({ digest }) => standingOf(this.record, digest, this.now).kind !== 'replaced');
    expect(kept).toHaveLength(8);
    for (const token of known) if (!kept.includes(token)) token.kind = 'replaced';
  }

  #ofKind(kind: ModelToken['kind']): ModelToken[] {
    return this.tokens.filter((token) => token.kind === kind);
  }
}

function promotionsOf(record: SessionRecord, now: number, grace: number): SessionRecord[] {
  const successors = (record.tokens ?? []).filter(({ kind }) => kind === 'successor');
  return successors.map((token) => changed(record, withPromoted(record, token, now, grace)));
}

function replacementsOf(record: SessionRecord, now: number, grace: number): SessionRecord[] {
  const kinds = ['retired', 'renewable'] as const;
  return kinds.map((kind) => changed(record, withReplaced(record, nextDigest(record), { now, grace, kind })));
}
