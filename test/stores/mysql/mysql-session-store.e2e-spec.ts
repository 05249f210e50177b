import { MysqlSessionStore } from 'nestjs-session-auth/mysql';
import { sessionStoreContract } from 'nestjs-session-auth/testing';
import { describeOnMysql } from '../../support/mysql-variants.js';

describeOnMysql('MysqlSessionStore', (name, { pool }) => {
  sessionStoreContract(name, async () => ({
    store: new MysqlSessionStore(pool(0)),
    another: async () => new MysqlSessionStore(pool(1)),
    close: () => Promise.resolve(),
  }));
});
