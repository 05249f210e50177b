import { Controller, Get, Injectable, Module, Post, Req, UseGuards } from '@nestjs/common';
import { Redis } from 'ioredis';
import { createPool } from 'mysql2/promise';
import {
  AuditLog,
  CsrfProtected,
  CurrentSession,
  CurrentUser,
  MemorySessionStore,
  SessionAuthError,
  SessionAuthGuard,
  SessionAuthModule,
  SessionAuthService,
  SessionLifecycleService,
  SessionStore,
  type Session,
  type SessionAuthOptions,
  type SessionEvent,
  type SessionUser,
  type SessionUserProvider,
} from 'nestjs-session-auth';
import * as client from 'nestjs-session-auth/client';
import * as graphql from 'nestjs-session-auth/graphql';
import { mysqlStorage } from 'nestjs-session-auth/mysql';
import { postgresStorage, type SqlExecutor } from 'nestjs-session-auth/postgres';
import { redisStorage } from 'nestjs-session-auth/redis';
import { sessionStoreContract, signInAs } from 'nestjs-session-auth/testing';
import { CreateSessionAuthTables, SessionEntity, typeOrmStorage } from 'nestjs-session-auth/typeorm';
import * as passport from 'nestjs-session-auth/passport';
import * as websockets from 'nestjs-session-auth/websockets';
import { Pool } from 'pg';
import { DataSource } from 'typeorm';

interface Cart {
  readonly items: readonly string[];
}

@Injectable()
class Users implements SessionUserProvider {
  async findByEmail(email: string): Promise<SessionUser | undefined> {
    return { id: email, email, roles: ['customer'] };
  }

  async findById(id: string): Promise<SessionUser | undefined> {
    return { id, roles: [] };
  }
}

@Controller()
class CartController {
  constructor(
    private readonly auth: SessionAuthService,
    private readonly sessions: SessionLifecycleService,
  ) {}

  @UseGuards(SessionAuthGuard)
  @Get('cart')
  cart(@CurrentSession() session: Session<{ cart?: Cart }>, @CurrentUser() user: SessionUser): readonly string[] {
    return [String(user.id), ...(session.data.cart?.items ?? [])];
  }

  @CsrfProtected()
  @Post('cart')
  async add(@CurrentSession() session: Session<{ cart?: Cart }>, @Req() request: object): Promise<number> {
    await session.update({ cart: { items: ['one'] } });
    await this.auth.logout(request);
    return (await this.sessions.list('alice')).sessions.length;
  }
}

class Audit extends AuditLog {
  override record(event: SessionEvent): void {
    if (event.type === 'session.created') event.authentication satisfies string | undefined;
  }
}

const options: SessionAuthOptions = {
  secrets: ['a secret'],
  lifetime: { idle: '15m', absolute: '8h' },
  concurrency: 3,
};
const executor: SqlExecutor = {
  query: async () => ({ rows: [], rowCount: 0 }),
  transaction: (work) => work(executor),
};
const storages = [
  redisStorage({ client: new Redis({ lazyConnect: true }), link: true }),
  postgresStorage({ pool: new Pool() }),
  postgresStorage({ executor }),
  mysqlStorage({ pool: createPool('mysql://localhost/bank') }),
  typeOrmStorage({ dataSource: new DataSource({ type: 'postgres', migrations: [CreateSessionAuthTables] }) }),
];

@Module({
  imports: storages.map((storage) =>
    SessionAuthModule.forRoot({
      ...options,
      storage: { ...storage, audit: { useClass: Audit } },
      users: { useClass: Users },
    }),
  ),
  controllers: [CartController],
})
export class AppModule {}

export const error = (code: SessionAuthError['code']): string => code;
export const store: SessionStore = new MemorySessionStore();
export const entryPoints = { client, graphql, passport, websockets, SessionEntity, sessionStoreContract, signInAs };
