/*
 * Stored sessions and remember-me tokens have a version, so that nodes of two versions can use one store
 * (docs/decisions/0031-versions-of-what-is-stored.md):
 *
 * - A node writes its own version. If it changes a record, it raises the record's version to its own, and never lowers
 *   it.
 * - It reads all earlier versions, and the next one. The next version may add fields, which this node keeps, but may
 *   not change the meaning of known fields.
 * - It neither reads nor changes a record of a later version, but it can end one: keys, handles, users and the times at
 *   which records end are the same in all versions.
 */

/** The version of the records that this node writes. Records without a version are of version 1. */
export const RECORD_VERSION = 2;

/** The latest version of a record that this node reads and changes. */
export const LATEST_RECORD_VERSION = RECORD_VERSION + 1;

/**
 * Checks that this node may read a record of a version.
 *
 * @param latest the latest version allowed: `Infinity` for a record that is being ended
 * @throws Error for a later version. Callers treat it as an unavailable store: the record is neither absent nor
 *   corrupt, and another node can read it.
 */
export function checkRecordVersion(version: number, latest = LATEST_RECORD_VERSION): void {
  if (version > latest) throw laterRecord(`of version ${version}`);
}

/** Returns the error for a record that this node is too old to read. */
export function laterRecord(found: string, cause?: unknown): Error {
  return new Error(`a stored record is ${found}: this node reads records up to version ${LATEST_RECORD_VERSION}`, {
    cause,
  });
}
