import { createClient } from 'redis';

/** A client of `redis` that finds out soon, and is back soon. Its `connect()` is still to be called. */
export function createSturdyClient(url: string, failed: (error: Error) => void): ReturnType<typeof createClient> {
  const client = createClient({
    url,
    // a command that waits for a connection fails after this time, and does not run later
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
  // Replaces a connection that has gone silent. socketTimeout does not notice it, because writes count as activity.
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
