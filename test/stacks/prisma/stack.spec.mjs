import { PrismaPg } from '@prisma/adapter-pg';
import { PrismaClient } from '@prisma/client';
import { applicationHolds, storesHold } from './contracts.mjs';
import { prismaExecutor } from './executor.js';

async function open(connectionString) {
  const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString }) });
  return { source: prismaExecutor(prisma), close: () => prisma.$disconnect() };
}

storesHold('Prisma', open);
applicationHolds('Prisma', open);
