/** What was seen of sessions that end: all times in milliseconds of one monotonic clock. */
export interface FinalityHistory {
  /** When the end of a session was acknowledged to whoever asked for it. */
  readonly ends: ReadonlyMap<string, number>;
  /** Requests by a session: when they were sent, and whether they were let pass. */
  readonly requests: readonly SeenRequest[];
}

export interface SeenRequest {
  readonly session: string;
  readonly sent: number;
  readonly isAdmitted: boolean;
}

/** What a history says of the promise that a session that has ended is refused within a bound. */
export interface FinalityReport {
  readonly ends: number;
  readonly requests: number;
  /** Requests that were let pass and sent after the end of their session. */
  readonly admittedAfterEnd: number;
  /** How long after the end the latest of them was sent; 0: there is none. */
  readonly latest: number;
  /** Sessions of which a request was let pass before their end, and one was refused after it. */
  readonly seenLiveAndEnded: number;
  readonly violations: readonly SeenRequest[];
}

/**
 * Checks a history. A request is decided on after it was sent: so one that was sent later than the bound after the end
 * must be refused, and of one that was sent earlier nothing is known.
 */
export function checkFinality({ ends, requests }: FinalityHistory, bound: number): FinalityReport {
  const late = ({ session, sent }: SeenRequest): number => sent - (ends.get(session) ?? Infinity);
  const after = requests.filter((request) => request.isAdmitted && late(request) > 0);
  const live = new Set(requests.filter((each) => each.isAdmitted && late(each) <= 0).map(({ session }) => session));
  const over = new Set(requests.filter((each) => !each.isAdmitted && late(each) > 0).map(({ session }) => session));
  return {
    ends: ends.size,
    requests: requests.length,
    admittedAfterEnd: after.length,
    latest: Math.max(0, ...after.map(late)),
    seenLiveAndEnded: [...ends.keys()].filter((session) => live.has(session) && over.has(session)).length,
    violations: after.filter((request) => late(request) > bound),
  };
}
