import { describe, expect, it } from '@jest/globals';
import { isConflict, isNotMigrated, isTimeout, sqlStateOf } from './sql-state.js';

/** An error with the fields of the `pg` driver's server errors. */
function refusal(code: string): Error {
  return Object.assign(new Error('refused'), { severity: 'ERROR', code });
}

describe('the SQLSTATE of a failure', () => {
  it('is what the server refused with, and nothing for failures of the network', () => {
    expect(sqlStateOf(refusal('40001'))).toBe('40001');
    const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', errno: -104, syscall: 'read' });
    const broken = Object.assign(new Error('write EPIPE'), { code: 'EPIPE', errno: -32, syscall: 'write' });
    for (const failure of [reset, broken, new Error('Query read timeout'), 'a text', undefined]) {
      expect(sqlStateOf(failure)).toBeUndefined();
    }
  });

  it('tells conflicts, which are worth another try, from tables that are missing, and both from all else', () => {
    const kinds = ['40001', '40P01', '42P01', '42703', '3F000', '23505'].map(refusal);
    expect(kinds.map(isConflict)).toEqual([true, true, false, false, false, false]);
    expect(kinds.map(isNotMigrated)).toEqual([false, false, true, true, true, false]);
  });

  /** The errors that each driver or ORM throws for a code of the server. */
  const shapes: Readonly<Record<string, (code: string) => unknown>> = {
    'pg, Kysely, Knex and MikroORM': refusal,
    'the postgres package': (code) =>
      Object.assign(new Error('refused'), { severity_local: 'FEHLER', severity: 'ERROR', code, query: 'SELECT' }),
    Drizzle: (code) =>
      Object.assign(new Error('Failed query: SELECT\nparams: ', { cause: refusal(code) }), { params: [] }),
    TypeORM: (code) =>
      Object.assign(new Error('refused'), { driverError: refusal(code), query: 'SELECT', parameters: [] }),
    Sequelize: (code) => Object.assign(new Error('refused'), { original: refusal(code), sql: 'SELECT' }),
    'Prisma 7': (originalCode) => {
      const cause = { kind: 'TransactionWriteConflict', originalCode, originalMessage: 'refused' };
      const meta = { driverAdapterError: Object.assign(new Error('TransactionWriteConflict'), { cause }) };
      return Object.assign(new Error('Raw query failed'), { code: 'P2010', meta, clientVersion: '7.10.1' });
    },
    'Prisma before 7': (code) =>
      Object.assign(new Error('Raw query failed'), { code: 'P2010', meta: { code, message: 'refused' } }),
    'an error that wraps one of another': (code) =>
      new Error('the transaction failed', { cause: new Error('the query failed', { cause: refusal(code) }) }),
  };

  it.each(Object.entries(shapes))('is found where %s has it', (_, refused) => {
    for (const code of ['40001', '40P01', '42P01', '57014', 'P0001', 'XX000'])
      expect(sqlStateOf(refused(code))).toBe(code);
    expect([isConflict(refused('40P01')), isNotMigrated(refused('42P01')), isTimeout(refused('55P03'))]).toEqual([
      true,
      true,
      true,
    ]);
  });

  it('is none of the codes that look like one, and ends where errors are wrapped in themselves', () => {
    for (const code of ['P2010', 'P1001', 'EPIPE', 'E2BIG', 'EPERM', '4000', '400011', 40001]) {
      expect(sqlStateOf(Object.assign(new Error('failed'), { code }))).toBeUndefined();
    }
    const circular = new Error('failed');
    circular.cause = circular;
    expect(sqlStateOf(circular)).toBeUndefined();
  });
});
