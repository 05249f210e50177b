import { sessionStoreContract } from 'nestjs-session-auth/testing';
import { DataSource } from 'typeorm';
import { SqliteSessionStore } from '../../examples/custom-store/sqlite-session-store.js';

sessionStoreContract('SqliteSessionStore', async () => {
  const database = await new DataSource({ type: 'sqljs' }).initialize();
  const store = new SqliteSessionStore(database);
  await store.createTables();
  return { store, close: () => database.destroy() };
});
