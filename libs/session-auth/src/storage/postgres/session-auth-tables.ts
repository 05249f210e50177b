import { createAuditTable, dropAuditTable } from './audit-tables.js';
import { createGenerationTable, dropGenerationTable } from './generation-tables.js';
import { createRememberMeTable, dropRememberMeTable } from './remember-me-tables.js';
import { createSessionTable, dropSessionTable } from './session-tables.js';
import { createThrottleTable, dropThrottleTable } from './throttle-tables.js';
import { createVersionTable, dropVersionTable } from './version-table.js';

/** The statements that create all tables of this package, in order. */
export function createAllTables(schema: string | undefined): readonly string[] {
  return [
    ...createSessionTable(schema),
    ...createRememberMeTable(schema),
    ...createThrottleTable(schema),
    ...createAuditTable(schema),
    ...createGenerationTable(schema),
    ...createVersionTable(schema),
  ];
}

/** The statements that drop what {@link createAllTables} creates. */
export function dropAllTables(schema: string | undefined): readonly string[] {
  return [
    ...dropVersionTable(schema),
    ...dropGenerationTable(schema),
    ...dropAuditTable(schema),
    ...dropThrottleTable(schema),
    ...dropRememberMeTable(schema),
    ...dropSessionTable(schema),
  ];
}
