import { createClient } from 'redis';

/** A client of `redis` that finds out soon, and is back soon. Its `connect()` is still to be called. */
export function createSturdyClient(url: string, failed: (error: Error) => void): ReturnType<typeof createClient> {
  const client = createClient({
    url,
    // what waits for a connection fails after so long, instead of running when nobody waits for it any more
    commandOptions: { timeout: 1000 },
    socket: {
      // the default goes up to two seconds between attempts: users wait as long after the server is back
      reconnectStrategy: (attempt) => Math.min(attempt * 50, 500),
      connectTimeout: 2000,
      // given up when it goes silent while it is being made
      socketTimeout: 2000,
    },
  });
  client.on('error', failed);
  // A connection that has gone silent is replaced. socketTimeout does not see it: what is written counts there as well.
  setInterval(() => {
    if (!client.isReady) return;
    const silent = setTimeout(() => {
      client.destroy();
      client.connect().catch(failed);
    }, 2000);
    client
      .ping()
      .catch(() => undefined)
      .finally(() => clearTimeout(silent));
  }, 1000).unref();
  return client as ReturnType<typeof createClient>;
}
