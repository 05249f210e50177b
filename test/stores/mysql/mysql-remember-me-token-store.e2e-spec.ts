import { MysqlRememberMeTokenStore } from 'nestjs-session-auth/mysql';
import { rememberMeTokenStoreContract } from 'nestjs-session-auth/testing';
import { describeOnMysql } from '../../support/mysql-variants.js';

describeOnMysql('MysqlRememberMeTokenStore', (name, { pool, database }) => {
  rememberMeTokenStoreContract(name, async () => ({
    store: new MysqlRememberMeTokenStore(pool(0)),
    another: async () => new MysqlRememberMeTokenStore(pool(1)),
    close: async () => {
      await database().run('TRUNCATE session_auth_remember_me');
    },
  }));
});
