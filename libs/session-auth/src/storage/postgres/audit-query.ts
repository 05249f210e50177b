/** Selects the events that `find` of the audit log returns. */
export interface AuditQuery {
  readonly userId?: string;
  /** Events at this time or later. */
  readonly from?: Date;
  /** Events before this time. */
  readonly to?: Date;
  /** The most events to return, 1 to 1000. @default 100 */
  readonly limit?: number;
}
