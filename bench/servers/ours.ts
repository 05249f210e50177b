import { Body, Controller, Get, HttpCode, Module, Post, Req, UseGuards, type INestApplication } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import {
  CsrfProtected,
  CsrfService,
  CurrentSession,
  SessionAuthGuard,
  SessionAuthModule,
  SessionAuthService,
  type StorageOptions,
} from 'nestjs-session-auth';
import { redisStorage, type RedisClient } from 'nestjs-session-auth/redis';
import { CreateSessionAuthTables, typeOrmStorage } from 'nestjs-session-auth/typeorm';
import { createApp } from './nest-app.ts';
import type { ServerSpec, StoreAddresses } from './server-spec.ts';

@Controller()
class OursController {
  constructor(
    private readonly auth: SessionAuthService,
    private readonly csrf: CsrfService,
  ) {}

  @Get('me')
  @UseGuards(SessionAuthGuard)
  me(@CurrentSession('userId') userId: string): object {
    return { userId };
  }

  @Post('act')
  @HttpCode(200)
  @UseGuards(SessionAuthGuard)
  act(@CurrentSession('userId') userId: string): object {
    return { userId };
  }

  @Post('act-with-csrf')
  @HttpCode(200)
  @UseGuards(SessionAuthGuard)
  @CsrfProtected()
  actWithCsrf(@CurrentSession('userId') userId: string): object {
    return { userId };
  }

  @Post('login')
  async login(@Req() request: object, @Body('user') id: string): Promise<object> {
    await this.auth.loginUser(request, { id, email: `${id}@example.com`, roles: ['customer'] }, 'password');
    return { csrfToken: this.csrf.issue(request) };
  }

  @Post('logout')
  @HttpCode(204)
  async logout(@Req() request: object): Promise<void> {
    await this.auth.logout(request);
  }
}

function connect(url: string, client: ServerSpec['client']): RedisClient | Promise<RedisClient> {
  return client === 'node-redis' ? createClient({ url }).connect() : new Redis(url);
}

/** The drivers that a revision of before may not know are loaded where they are used. */
async function storageOf(
  { store, client, nearCache = false }: ServerSpec,
  addresses: StoreAddresses,
): Promise<StorageOptions | undefined> {
  switch (store) {
    case 'redis':
      return redisStorage({
        client: await connect(addresses.redisUrl, client),
        ...(nearCache && { link: true }),
      });
    case 'postgres':
      return client === 'pg'
        ? (await import('./pg-pool.ts')).openPgPool(addresses.databaseUrl, nearCache)
        : typeOrmStorage();
    case 'mariadb':
      return (await import('./mariadb-pool.ts')).openMariaDb(
        addresses.mariaDbUrl,
        new URL(addresses.databaseUrl).pathname.slice(1),
      );
    case 'sqlite':
      return (await import('./sqlite-file.ts')).openSqlite();
    default:
      return undefined;
  }
}

/** This library with its defaults (fingerprint checked, at most three sessions a user). */
export async function open(spec: ServerSpec, addresses: StoreAddresses): Promise<INestApplication> {
  const { adapter, store, client, nearCache = false } = spec;
  const storage = await storageOf(spec, addresses);
  const database = TypeOrmModule.forRoot({
    type: 'postgres',
    url: addresses.databaseUrl,
    migrations: [CreateSessionAuthTables],
    migrationsRun: true,
  });

  @Module({
    imports: [
      ...(store === 'postgres' && client === undefined ? [database] : []),
      SessionAuthModule.forRoot({
        secrets: ['the secret of a benchmark, of more than 32 bytes'],
        concurrency: { max: 3 },
        ...(storage && { storage }),
        ...(nearCache && { nearCache }),
      }),
    ],
    controllers: [OursController],
  })
  class OursModule {}
  return createApp(OursModule, adapter);
}
