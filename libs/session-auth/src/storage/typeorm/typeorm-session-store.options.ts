/** Settings of `TypeOrmSessionStore`. */
export interface TypeOrmSessionStoreOptions {
  /**
   * The schema in which the migration created the tables. @default the DataSource's `schema`, else the first match in
   * the connection's `search_path`
   */
  readonly schema?: string;
  /**
   * Whether connections keep statements prepared. With `false` the server plans each statement every time, which costs
   * it several times the work. Use `false` for a pooler that assigns transactions to changing connections and cannot
   * track prepared statements (PgBouncer before 1.21, or with `max_prepared_statements = 0`). @default true
   */
  readonly preparedStatements?: boolean;
  /**
   * How many milliseconds an operation waits for a connection and its results. A connection without a result in time is
   * removed from the pool, which opens another. Sweeps and the audit log may take longer. @default `storeTimeout` of
   * the module; no limit for a store that the application constructs
   */
  readonly queryTimeout?: number;
}

/** Settings of the link of a `TypeOrmSessionStore`. */
export interface TypeOrmLinkOptions {
  /**
   * The address that a node listens at, with user and password. It must lead to the database itself: a pooler in
   * transaction mode loses LISTEN, which is detected when the link is opened. @default the address of the DataSource
   */
  readonly url?: string;
}

/** Whether a `TypeOrmSessionStore` has a link. */
export interface TypeOrmLinked {
  /**
   * Whether the store reports sessions that end or change to all nodes, as sockets, streams and similar features need.
   * Takes one more connection on each node that watches something. Enable it on all nodes: a node without it reports
   * nothing.
   * @default false
   */
  readonly link?: boolean | TypeOrmLinkOptions;
}
