/** Writes the SQL files of this folder, which a test compares with what the build has. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CREATE_TABLES, UPGRADE_TABLES } from '../dist/storage/mysql/schema-sql.js';

writeFileSync(join(import.meta.dirname, 'schema.sql'), CREATE_TABLES);
writeFileSync(join(import.meta.dirname, 'upgrade.sql'), UPGRADE_TABLES);
