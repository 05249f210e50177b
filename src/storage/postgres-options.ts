/**
 * How the demo's pool lives through an outage: an attempt to connect ends, instead of keeping its place in the pool.
 */
export const POSTGRES_OPTIONS = { connectTimeoutMS: 2000 };
