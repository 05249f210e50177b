/**
 * Where the module puts its `storeTimeout`, in milliseconds, for stores that give a connection up which has not answered
 * within it.
 */
export const STORE_TIMEOUT = Symbol('nestjs-session-auth store timeout');
