import type { AuditLog } from '../events/audit-log.js';
import type { CookieSet } from '../http/cookie-set.js';
import type { RealmClaim } from '../http/realm-registry.js';

/** A part that has a view for each realm, if the backend can separate realms. */
export interface RealmPart {
  ofRealm?(realm: string): object;
  /** Where its records are kept, if other objects may have the same ones. */
  readonly place?: string;
}

/** Claims the names of a realm's cookies. Path and domain do not matter: a browser may send two cookies of one name. */
export function claimCookies({ session }: CookieSet): RealmClaim[] {
  const allowed = 'a name that gives all four cookies another name than in the other realm';
  return ['', '-csrf', '-remember', '-device'].map((end) => {
    const name = session.name + end;
    return { option: 'cookie.name', of: `cookie ${name}`, what: `a name that makes a cookie '${name}'`, allowed };
  });
}

/** Claims the path of a realm's endpoints. */
export function claimEndpoints(path: string | undefined): RealmClaim[] {
  if (path === undefined) return [];
  const plain = path.split('/').filter(Boolean).join('/');
  const allowed = 'another path, or false';
  return [{ option: 'endpoints.path', of: `endpoints ${plain}`, what: `'${plain}'`, allowed }];
}

/** A log that can find a user's events finds them in one realm. A log that only records may serve all realms. */
export function claimAuditLog(log: AuditLog): RealmClaim[] {
  const findsUsers = log.eraseUser !== undefined || log.exportUser !== undefined;
  return findsUsers ? [claimStore('storage.audit', log)] : [];
}

/**
 * Claims the records of a realm's store. A store that cannot separate realms is compared by class, because two objects
 * of a class may use one backend.
 */
export function claimStore(option: string, store: RealmPart): RealmClaim {
  const knowsRealms = store.ofRealm !== undefined;
  const type = (Object.getPrototypeOf(store) as RealmPart | null)?.constructor ?? Object;
  return {
    option,
    of: store.place ?? (knowsRealms || type === Object ? store : type),
    what: knowsRealms ? 'a store' : `a ${type.name} without ofRealm`,
    allowed: 'another store, or one whose ofRealm returns a different store for each realm',
  };
}
