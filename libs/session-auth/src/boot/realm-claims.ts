import type { AuditLog } from '../events/audit-log.js';
import type { CookieSet } from '../http/cookie-set.js';
import type { RealmClaim } from '../http/realm-registry.js';

/** A part of which each realm has a view of its own, where the backend can tell realms apart. */
export interface RealmPart {
  ofRealm?(realm: string): object;
  /** Where its records are, if other objects may have the same ones. */
  readonly place?: string;
}

/** A cookie's name is the realm's own, whatever its path and domain: a browser may send two of one name. */
export function claimCookies({ session }: CookieSet): RealmClaim[] {
  const allowed = 'a name by which none of the four cookies of two realms have one name';
  return ['', '-csrf', '-remember', '-device'].map((end) => {
    const name = session.name + end;
    return { option: 'cookie.name', of: `cookie ${name}`, what: `what makes a cookie '${name}'`, allowed };
  });
}

/** The path of the endpoints is the realm's own. */
export function claimEndpoints(path: string | undefined): RealmClaim[] {
  if (path === undefined) return [];
  const plain = path.split('/').filter(Boolean).join('/');
  const allowed = 'another path, or false';
  return [{ option: 'endpoints.path', of: `endpoints ${plain}`, what: `'${plain}'`, allowed }];
}

/** A log that finds users again finds them in one realm. One that only records may do so for all realms. */
export function claimAuditLog(log: AuditLog): RealmClaim[] {
  const findsUsers = log.eraseUser !== undefined || log.exportUser !== undefined;
  return findsUsers ? [claimStore('storage.audit', log)] : [];
}

/**
 * The records of a store are the realm's own. A store that cannot tell realms apart is known by its class: two objects
 * of it may be on one backend.
 */
export function claimStore(option: string, store: RealmPart): RealmClaim {
  const knowsRealms = store.ofRealm !== undefined;
  const type = (Object.getPrototypeOf(store) as RealmPart | null)?.constructor ?? Object;
  return {
    option,
    of: store.place ?? (knowsRealms || type === Object ? store : type),
    what: knowsRealms ? 'a store' : `a ${type.name} without ofRealm`,
    allowed: 'a store of its own, or one that has ofRealm and returns another for each realm',
  };
}
