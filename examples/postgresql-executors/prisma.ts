import type { Prisma, PrismaClient } from '@prisma/client';
import type { SqlExecutor } from 'nestjs-session-auth/postgres';

/** A cleanup holds a transaction for a minute at most. For a request, waiting is up to the option `storeTimeout`. */
const LIMITS = { maxWait: 60_000, timeout: 60_000 };

/** Runs statements on the application's Prisma, of version 7 with the adapter `@prisma/adapter-pg`. */
export function prismaExecutor(prisma: PrismaClient): SqlExecutor {
  return {
    ...within(prisma),
    transaction: (work) => prisma.$transaction((transaction) => work(within(transaction)), LIMITS),
  };
}

function within(client: Prisma.TransactionClient): SqlExecutor {
  const executor: SqlExecutor = {
    query: async (text, values) => ({ rows: await client.$queryRawUnsafe<object[]>(text, ...values) }),
    transaction: (work) => work(executor),
  };
  return executor;
}
