/** How a node keeps its sessions. */
export interface NodeSetup {
  readonly store: 'redis' | 'postgres';
  /** Of the store. */
  readonly url: string;
  /** Of what the link listens on. */
  readonly linkUrl: string;
  readonly isFirst: boolean;
  /** Sockets are opened by anybody: what the platform takes by itself. @default false */
  readonly isPlain?: boolean;
}

/** What a node is asked for. */
export type NodeTask =
  | { readonly do: 'sign in'; readonly users: readonly string[] }
  | {
      readonly do: 'end';
      readonly how: HowToEnd;
      readonly user: string;
      readonly session: string;
      readonly cookie: string;
    }
  | { readonly do: 'advance'; readonly milliseconds: number }
  | { readonly do: 'visit'; readonly cookies: readonly string[] }
  | { readonly do: 'report' };

/** The ways in which the run ends sessions, besides letting them expire. */
export const WAYS = ['logout', 'revoke', 'evict', 'replace', 'credentials changed', 'account disabled'] as const;
export type HowToEnd = (typeof WAYS)[number];

export interface SignedInUser {
  readonly user: string;
  readonly session: string;
  readonly cookie: string;
}

/** When the last message of each session was handled, in milliseconds since the epoch; and what the node weighs. */
export interface NodeReport {
  readonly handled: number;
  readonly lastHandled: Readonly<Record<string, number>>;
  readonly heapBytes: number;
}

/** Milliseconds since the epoch, finer than `Date.now()`: the processes of a run compare them. */
export const now = (): number => performance.timeOrigin + performance.now();
