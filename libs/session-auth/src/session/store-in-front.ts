/**
 * Where a {@link SessionStore} is injected from that keeps sessions in front of the store of the storage; undefined
 * where nothing does. What reads or changes sessions goes through it.
 */
export const STORE_IN_FRONT = Symbol('nestjs-session-auth store in front of the store');
