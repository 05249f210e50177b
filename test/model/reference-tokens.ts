/**
 * What a token of a session is worth:
 *
 * - `present`: it is the token. A `successor` becomes it by being used.
 * - `superseded`: a successor was used, and requests by this one may be in flight.
 * - `retired`, `renewable`: taken at once, and requests by it may be in flight. All are refused, except that whoever
 *   proves again by a `renewable` token what has replaced it gets a successor.
 * - `replaced`: nobody but a thief, or the victim of one, has it.
 */
export type TokenKind = 'present' | 'successor' | 'superseded' | 'retired' | 'renewable' | 'replaced';

/** A token that a session has had. */
export interface ReferenceToken {
  readonly token: string;
  kind: TokenKind;
  readonly issuedAt: number;
  /** Until when it is superseded, retired or renewable; after that it is replaced. */
  until: number;
  /** For how long this successor lets the token before be honoured once it is used. */
  readonly grace: number;
  /** What a request by it may do: what the session has been allowed ever since it was issued. */
  roles: readonly string[];
  /** Whether the session's roles have changed since it was issued. */
  isOutdated: boolean;
}

const MOST_SUCCESSORS = 4;
const MOST_REPLACED = 8;

/** Every token that a session has ever had. What was the token, or was handed out, last is at the beginning. */
export class ReferenceTokens {
  constructor(public all: ReferenceToken[]) {}

  clone(): ReferenceTokens {
    return new ReferenceTokens(this.all.map((token) => ({ ...token })));
  }

  get present(): ReferenceToken {
    return this.all.find(({ kind }) => kind === 'present')!;
  }

  get(token: string): ReferenceToken | undefined {
    return this.all.find((each) => each.token === token);
  }

  kindOf(token: string, now: number): TokenKind {
    const found = this.get(token);
    return found === undefined || isOver(found, now) ? 'replaced' : found.kind;
  }

  isHonoured(token: string, now: number): boolean {
    return ['present', 'successor', 'superseded'].includes(this.kindOf(token, now));
  }

  rolesOf(token: string): readonly string[] {
    return this.get(token)?.roles ?? [];
  }

  /** When the last successor was handed out; undefined: none is out. */
  get handedOutAt(): number | undefined {
    return this.all.find(({ kind }) => kind === 'successor')?.issuedAt;
  }

  /** Whether a successor is on its way to the client: its answer may still arrive. */
  isHandingOver(now: number, rotationGrace: number): boolean {
    return this.handedOutAt !== undefined && now - this.handedOutAt < rotationGrace;
  }

  /** One more successor is out. */
  handOut(token: string, roles: readonly string[], now: number, grace: number): void {
    this.all.unshift(issued(token, 'successor', { roles, now, grace }));
    for (const old of this.all.filter(({ kind }) => kind === 'successor').slice(MOST_SUCCESSORS)) old.kind = 'replaced';
  }

  /** A successor is used. */
  promote(token: string, now: number): void {
    const used = this.get(token)!;
    const before = this.present;
    for (const each of this.all) {
      if (each.kind === 'successor') each.kind = 'replaced';
      if (each.kind === 'superseded') each.until = Math.min(each.until, now + used.grace);
    }
    before.kind = 'superseded';
    before.until = now + used.grace;
    used.kind = 'present';
    this.#toTheBeginning(used, before);
    this.#forgetSurplus(now);
  }

  /** A new token is the token at once. */
  replace(
    token: string,
    roles: readonly string[],
    { now, grace, kind }: { readonly now: number; readonly grace: number; readonly kind: 'retired' | 'renewable' },
  ): void {
    const before = this.present;
    for (const each of this.all) {
      if (each.kind === 'present' || each.kind === 'successor') {
        each.kind = kind;
        each.until = now + grace;
      } else if (each.kind === 'superseded') each.kind = grace > 0 ? 'retired' : 'replaced';
      else if (each.kind === 'renewable') each.kind = kind;
    }
    this.#toTheBeginning(issued(token, 'present', { roles, now, grace: 0 }), before);
    this.#forgetSurplus(now);
  }

  /** The session has other roles: no token gains any, and all lose those that it has no more. */
  changeRoles(roles: readonly string[]): void {
    for (const each of this.all) {
      each.roles = roles.filter((role) => each.roles.includes(role));
      each.isOutdated = true;
    }
  }

  #toTheBeginning(...first: ReferenceToken[]): void {
    this.all = [...first, ...this.all.filter((each) => !first.includes(each))];
  }

  #forgetSurplus(now: number): void {
    const own = this.all.filter((each) => ['superseded', 'retired', 'renewable'].includes(each.kind));
    for (const old of own.filter((each) => !isOver(each, now)).slice(MOST_REPLACED)) old.kind = 'replaced';
  }
}

/** A token that was issued just now. */
export function issued(
  token: string,
  kind: 'present' | 'successor',
  { roles, now, grace }: { readonly roles: readonly string[]; readonly now: number; readonly grace: number },
): ReferenceToken {
  return { token, kind, issuedAt: now, until: Infinity, grace, roles, isOutdated: false };
}

function isOver({ kind, until }: ReferenceToken, now: number): boolean {
  return kind !== 'present' && kind !== 'successor' && until <= now;
}
