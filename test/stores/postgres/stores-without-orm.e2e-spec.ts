import {
  PostgresLoginThrottleStore,
  PostgresRememberMeTokenStore,
  PostgresSessionStore,
} from 'nestjs-session-auth/postgres';
import {
  loginThrottleStoreContract,
  rememberMeTokenStoreContract,
  sessionLinkContract,
  sessionStoreContract,
} from 'nestjs-session-auth/testing';
import { describeWithoutOrm, type PostgresSources } from '../../support/postgres-sources.js';

const empty = async ({ pool, options }: PostgresSources, table: string): Promise<void> => {
  await pool().query(`DELETE FROM ${options.schema === undefined ? '' : '"we""ird schema".'}${table}`);
};

describeWithoutOrm('PostgresSessionStore', (name, { source, options }) => {
  sessionStoreContract(name, () =>
    Promise.resolve({
      store: new PostgresSessionStore(source(0), options),
      another: () => Promise.resolve(new PostgresSessionStore(source(1), options)),
      close: () => Promise.resolve(),
    }),
  );
});

describeWithoutOrm(
  'PostgresSessionStore with a link',
  (name, { source, options, database }) => {
    sessionLinkContract(name, () => {
      const storeOn = (node: 0 | 1): PostgresSessionStore =>
        new PostgresSessionStore(source(node), {
          ...options,
          link: 'transaction' in source(node) ? { url: database().url } : true,
        });
      return Promise.resolve({
        store: storeOn(0),
        another: () => Promise.resolve(storeOn(1)),
        close: () => Promise.resolve(),
      });
    });
  },
  2,
);

describeWithoutOrm(
  'PostgresRememberMeTokenStore',
  (name, sources) => {
    const { source, options } = sources;
    rememberMeTokenStoreContract(name, () =>
      Promise.resolve({
        store: new PostgresRememberMeTokenStore(source(0), options),
        another: () => Promise.resolve(new PostgresRememberMeTokenStore(source(1), options)),
        close: () => empty(sources, 'session_auth_remember_me'),
      }),
    );
  },
  2,
);

describeWithoutOrm(
  'PostgresLoginThrottleStore',
  (name, sources) => {
    const { source, options } = sources;
    loginThrottleStoreContract(name, () =>
      Promise.resolve({
        store: new PostgresLoginThrottleStore(source(0), options),
        another: () => Promise.resolve(new PostgresLoginThrottleStore(source(1), options)),
        close: () => empty(sources, 'session_auth_throttle'),
      }),
    );
  },
  2,
);
