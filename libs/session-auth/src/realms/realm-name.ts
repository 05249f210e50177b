/** The realm of a module and of a route that name none. */
export const DEFAULT_REALM = 'default';

/** Where the name of the realm is injected from. */
export const REALM = Symbol('nestjs-session-auth realm');

/** What the name of a realm may be, in words. */
export const REALM_NAME_RULE = '1 to 32 of a-z, 0-9 and -';

const NAME = /^[a-z0-9-]{1,32}$/;

/** Whether a value is a name that a realm may have. */
export function isRealmName(value: unknown): value is string {
  return typeof value === 'string' && NAME.test(value);
}

/**
 * What names and labels of a realm have before what the default realm's are: `<before>staff<after>`. Nothing for the
 * default realm, whose names are those of an application without realms.
 */
export function realmPart(realm: string, before: string, after: string): string {
  return realm === DEFAULT_REALM ? '' : before + realm + after;
}
