import { randomUUID } from 'node:crypto';
import {
  RedisLoginThrottleStore,
  RedisRememberMeTokenStore,
  RedisSessionStore,
  type RedisClient,
} from 'nestjs-session-auth/redis';
import {
  loginThrottleStoreContract,
  rememberMeTokenStoreContract,
  sessionLinkContract,
  sessionStoreContract,
} from 'nestjs-session-auth/testing';

/**
 * Declares all contract suites, races included, for two nodes.
 *
 * @param clients those of the nodes, once they are connected
 */
export function redisContracts(name: string, clients: () => readonly RedisClient[]): void {
  // the default namespace, which a user with few rights may use
  const run = `sa:${randomUUID()}:`;
  const nodesOf = <T>(open: (client: RedisClient, namespace: string) => T) => {
    const [first, second] = clients();
    const namespace = run + randomUUID();
    return Promise.resolve({
      store: open(first!, namespace),
      another: () => Promise.resolve(open(second!, namespace)),
      close: () => Promise.resolve(),
    });
  };
  sessionStoreContract(name, () => nodesOf((client, namespace) => new RedisSessionStore(client, { namespace })));
  rememberMeTokenStoreContract(name, () =>
    nodesOf((client, namespace) => new RedisRememberMeTokenStore(client, { namespace })),
  );
  loginThrottleStoreContract(name, () =>
    nodesOf((client, namespace) => new RedisLoginThrottleStore(client, namespace)),
  );
  sessionLinkContract(name, () =>
    nodesOf((client, namespace) => new RedisSessionStore(client, { namespace, link: true })),
  );
}
