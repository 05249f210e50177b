import { EntitySchema, MikroORM } from '@mikro-orm/postgresql';
import { applicationHolds, storesHold } from './contracts.mjs';
import { mikroOrmExecutor } from './executor.js';

const note = new EntitySchema({ name: 'Note', properties: { id: { type: 'number', primary: true } } });

async function open(clientUrl) {
  const orm = await MikroORM.init({ clientUrl, entities: [note] });
  return { source: mikroOrmExecutor(orm.em.getConnection()), close: () => orm.close() };
}

storesHold('MikroORM', open);
applicationHolds('MikroORM', open);
