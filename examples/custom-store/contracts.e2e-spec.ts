import { loginThrottleStoreContract, sessionStoreContract } from 'nestjs-session-auth/testing';
import { DataSource } from 'typeorm';
import { SqliteLoginThrottleStore } from './sqlite-login-throttle-store.js';
import { SqliteSessionStore } from './sqlite-session-store.js';

sessionStoreContract('SqliteSessionStore', async () => {
  const database = await new DataSource({ type: 'sqljs' }).initialize();
  const store = new SqliteSessionStore(database);
  await store.createTables();
  return { store, close: () => database.destroy() };
});

loginThrottleStoreContract('SqliteLoginThrottleStore', async () => {
  const database = await new DataSource({ type: 'sqljs' }).initialize();
  const store = new SqliteLoginThrottleStore(database);
  await store.createTable();
  return { store, close: () => database.destroy() };
});
