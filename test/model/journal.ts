import type { IssuedSession, RememberedDevice, Session } from 'nestjs-session-auth';
import { SESSION_TOKEN_LENGTH } from '../../libs/session-auth/src/crypto/session-token.js';
import { selectorOf } from './reference-devices.js';

/** Whether an answer gets to its client. */
export type Arrival = 'arrives' | 'gets lost';

/** The tokens in an answer. */
export interface Answer {
  readonly token: string;
  readonly deviceToken?: string;
}

/** What a run has come across: what operations choose their targets from. */
export class Journal {
  /** Requests that are open: each has found its session a while ago. */
  readonly requests: Session[] = [];
  /** Session tokens that clients have. */
  readonly tokens: string[] = [];
  /** Answers that are under way, or lost. */
  readonly lost: Answer[] = [];
  /** All session tokens that were issued. */
  readonly allTokens: string[] = [];
  readonly deviceTokens: string[] = [];
  readonly handles: string[] = [];
  readonly deviceIds: string[] = [];
  readonly #busy = new Set<Session>();
  readonly #ownerByHandle = new Map<string, string | undefined>();
  readonly #ownerBySelector = new Map<string, string>();

  /** A session that a request has found, or that was made in it. */
  opened(session: Session): void {
    this.requests.push(session);
    this.#ownerByHandle.set(session.id, session.userId);
    if (!this.handles.includes(session.id)) this.handles.push(session.id);
  }

  /** What was put into an answer. */
  issued({ token, deviceToken }: Answer, arrival: Arrival = 'arrives'): void {
    if (!this.allTokens.includes(token)) this.allTokens.push(token);
    if (arrival === 'arrives') this.#keep({ token, deviceToken });
    else this.lost.push({ token, deviceToken });
  }

  /** A token that was issued in a request whose answer carries a newer one: no client ever has it. */
  overwritten(token: string): void {
    if (!this.allTokens.includes(token)) this.allTokens.push(token);
  }

  /** An answer that was thought lost has arrived. */
  arrived(answer: Answer): void {
    this.lost.splice(this.lost.indexOf(answer), 1);
    this.#keep(answer);
  }

  /** A device that is remembered from now on. */
  remembered(token: string, { id, userId }: RememberedDevice): void {
    this.deviceTokens.push(token);
    this.deviceIds.push(id);
    this.#ownerBySelector.set(selectorOf(token), userId);
  }

  /** The user that a token was issued to. */
  ownerOf(token: string): string | undefined {
    return this.#ownerByHandle.get(token.slice(2, 22));
  }

  /** The user whose device has a token. */
  ownerOfDevice(token: string): string {
    return this.#ownerBySelector.get(selectorOf(token))!;
  }

  /** An open request that no other operation of the moment is about. */
  takeRequest(index: number, isMeant: (request: Session) => boolean = () => true): Session | undefined {
    const request = pick(
      this.requests.filter((each) => !this.#busy.has(each) && isMeant(each)),
      index,
    );
    if (request !== undefined) this.#busy.add(request);
    return request;
  }

  /** The operations of the moment are over. */
  rest(): void {
    this.#busy.clear();
  }

  #keep({ token, deviceToken }: Answer): void {
    if (!this.tokens.includes(token)) this.tokens.push(token);
    if (deviceToken !== undefined && !this.deviceTokens.includes(deviceToken)) this.deviceTokens.push(deviceToken);
  }
}

/** What the lifecycle service hands out is a session token with an HMAC behind it. */
export function withoutHmac({ token, session }: IssuedSession): IssuedSession {
  return { token: token.slice(0, SESSION_TOKEN_LENGTH), session };
}

/** The one of an index, counted from the latest. */
export function pick<T>(from: readonly T[], index: number): T | undefined {
  return from[from.length - 1 - (index % from.length)];
}
