/** Settings of `TypeOrmSessionStore`. */
export interface TypeOrmSessionStoreOptions {
  /**
   * The schema that the migration created the tables in. @default the DataSource's `schema`, else what the connection's
   * `search_path` finds
   */
  readonly schema?: string;
  /**
   * Whether connections keep statements prepared. With `false` the server plans each statement every time, which costs
   * it several times the work. `false` is for a pooler that hands transactions to changing connections and cannot
   * follow prepared statements (PgBouncer before 1.21, or with `max_prepared_statements = 0`). @default true
   */
  readonly preparedStatements?: boolean;
  /**
   * Milliseconds that an operation waits for a connection and its answers. A connection that does not answer in time is
   * taken out of the pool, which opens another. Sweeps and the audit log may take longer. @default `storeTimeout` of
   * the module; no limit for a store that the application constructs
   */
  readonly queryTimeout?: number;
}

/** Settings of the link of a `TypeOrmSessionStore`. */
export interface TypeOrmLinkOptions {
  /**
   * The address that a node listens at, with user and password. It must lead to the database itself: LISTEN is lost
   * behind a pooler in transaction mode, which is found out when the link is opened. @default as the DataSource
   * connects
   */
  readonly url?: string;
}

/** Whether a `TypeOrmSessionStore` has a link. */
export interface TypeOrmLinked {
  /**
   * Whether the store tells all nodes of sessions that end or change, which sockets, streams and the like need. Takes a
   * connection of its own for each node where something is watched. Give it to all nodes: one without it tells nothing.
   * @default false
   */
  readonly link?: boolean | TypeOrmLinkOptions;
}
