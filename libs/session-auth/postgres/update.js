/** Writes the SQL files of this folder, which a test compares with what the build returns. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createTablesSql, upgradeTablesSql } from '../dist/storage/postgres/index.js';

writeFileSync(join(import.meta.dirname, 'schema.sql'), createTablesSql());
writeFileSync(join(import.meta.dirname, 'upgrade.sql'), upgradeTablesSql());
