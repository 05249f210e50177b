/** The realm of modules and routes that do not name a realm. */
export const DEFAULT_REALM = 'default';

/** The token of the realm's name. */
export const REALM = Symbol('nestjs-session-auth realm');

/** The rule for names of realms, in words. */
export const REALM_NAME_RULE = '1 to 32 of a-z, 0-9 and -';

const NAME = /^[a-z0-9-]{1,32}$/;

/** Whether a value is a valid name of a realm. */
export function isRealmName(value: unknown): value is string {
  return typeof value === 'string' && NAME.test(value);
}

/**
 * Returns `<before>staff<after>` for the realm `staff`, to prefix names and labels. Returns an empty string for the
 * default realm, whose names are those of an application without realms.
 */
export function realmPart(realm: string, before: string, after: string): string {
  return realm === DEFAULT_REALM ? '' : before + realm + after;
}
