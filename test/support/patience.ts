/**
 * The limit, in milliseconds, of what waits for builds and installations: they end by themselves, well or with an error,
 * and how soon is up to the machine. The limit only ends what hangs.
 */
export const PATIENCE = 15 * 60_000;
