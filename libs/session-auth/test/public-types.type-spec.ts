// Compiled by `npm run lint:types`, never run: each `@ts-expect-error` fails the compilation when the line under it is
// none, and each line without one when it is.
import {
  CurrentSession,
  CurrentUser,
  RequireFactor,
  RequireRecentAuth,
  Roles,
  SessionAuthModule,
  type Session,
  type SessionAuthErrorCode,
  type SessionEvent,
  type SessionUser,
  type SessionUserProvider,
} from 'nestjs-session-auth';
import { postgresStorage, type SqlExecutor } from 'nestjs-session-auth/postgres';
import { redisStorage, type RedisClient } from 'nestjs-session-auth/redis';
import { signInAs } from 'nestjs-session-auth/testing';
import { typeOrmStorage } from 'nestjs-session-auth/typeorm';
import { Client, Pool } from 'pg';

interface Cart {
  readonly items: readonly string[];
  readonly coupon: string;
}

interface Customer extends SessionUser {
  readonly id: number;
  readonly name: string;
}

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** Compiles only for `true`. */
function holds<Claim extends true>(...claims: Claim[]): void {
  void claims;
}

const secrets = ['a secret'];
declare const users: new () => SessionUserProvider<Customer>;
declare const client: RedisClient;
declare const executor: SqlExecutor;
declare const queries: Pick<SqlExecutor, 'query'>;

export class Handlers {
  async whole(@CurrentSession() session: Session<Cart>): Promise<void> {
    holds<Same<typeof session.data, Readonly<Partial<Cart>>>>();
    holds<Same<typeof session.userId, string | undefined>>();
    await session.update({ coupon: 'SPRING' });
    await session.update({ coupon: undefined });
    // @ts-expect-error -- of another type than the application's data has
    await session.update({ coupon: 5 });
    // @ts-expect-error -- a key that the data has not got
    await session.update({ voucher: 'SPRING' });
    // @ts-expect-error -- data is changed by update only
    session.data.coupon = 'SPRING';
    holds<Same<typeof session.factors, Readonly<Record<string, Date>>>>();
    // @ts-expect-error -- factors are added by factorCompleted only
    session.factors.totp = new Date();
    // @ts-expect-error -- and so is the rest
    session.userId = 'somebody else';
  }

  parts(@CurrentSession('userId') userId: string, @CurrentSession('data') data: Partial<Cart>): unknown {
    return [userId, data];
  }

  // @ts-expect-error -- a session has no such property
  wrong(@CurrentSession('user') user: unknown): unknown {
    return user;
  }

  // @ts-expect-error -- its methods are reached through the whole session
  method(@CurrentSession('update') update: unknown): unknown {
    return update;
  }

  user(@CurrentUser() user: Customer): string {
    return user.name;
  }

  // @ts-expect-error -- the user is always the whole one
  partOfUser(@CurrentUser('name') name: string): string {
    return name;
  }
}

export const right = [
  SessionAuthModule.forRoot({
    secrets,
    users: { useClass: users },
    storage: redisStorage({ client, namespace: 'shop:' }),
    lifetime: { idle: '30m', absolute: '12 hours', touchInterval: 60_000, rotateEvery: '15m', rotationGrace: 0 },
    cookie: { name: '__Secure-shop', domain: 'shop.example', sameSite: 'strict', maxAge: 'idle' },
    concurrency: { max: (user) => (user.roles?.includes('admin') ? { max: 1, onLimit: 'reject' } : 3) },
    fingerprint: { headers: ['user-agent', { name: 'accept-language', compare: (value) => value.slice(0, 2) }] },
    csrf: { trustedOrigins: ['https://shop.example'], global: true },
    rememberMe: { lifetime: '30d', onTheft: 'revoke-tokens' },
    loginThrottle: { client: { failures: 3, block: '5m' } },
    cleanup: { every: '1h', batch: 500 },
    endpoints: { path: 'api/auth' },
  }),
  SessionAuthModule.forRoot({ secrets, lifetime: 'nistAal2', concurrency: 5, fingerprint: false, rememberMe: false }),
  SessionAuthModule.forRoot({ secrets, storage: { ...typeOrmStorage(), ...redisStorage({ client }) } }),
  SessionAuthModule.forRootAsync({
    useFactory: () => ({ secrets, lifetime: { idle: '30m' } }),
    storage: typeOrmStorage({ audit: { retention: '90d' } }),
    users: { useClass: users },
  }),
  SessionAuthModule.forRoot({ secrets, storage: postgresStorage({ pool: new Pool(), link: true }) }),
  SessionAuthModule.forRoot({ secrets, storage: postgresStorage({ executor, schema: 'auth' }) }),
];

export const wrong = [
  // @ts-expect-error -- neither a pool nor an executor
  postgresStorage({ schema: 'auth' }),
  // @ts-expect-error -- one connection, not a pool of them
  postgresStorage({ pool: new Client() }),
  // @ts-expect-error -- an executor without transactions
  postgresStorage({ executor: queries }),
  // @ts-expect-error -- without secrets
  SessionAuthModule.forRoot({}),
  // @ts-expect-error -- one secret, not a ring of them
  SessionAuthModule.forRoot({ secrets: 'a secret' }),
  // @ts-expect-error -- an option that there is not
  SessionAuthModule.forRoot({ secrets, secret: 'a secret' }),
  // @ts-expect-error -- nor within another
  SessionAuthModule.forRoot({ secrets, cookie: { httpOnly: false } }),
  // @ts-expect-error -- no unit of time
  SessionAuthModule.forRoot({ secrets, lifetime: { idle: '30 parsecs' } }),
  // @ts-expect-error -- no preset
  SessionAuthModule.forRoot({ secrets, lifetime: 'nistAal4' }),
  // @ts-expect-error -- no policy
  SessionAuthModule.forRoot({ secrets, concurrency: { onLimit: 'evict-newest' } }),
  // @ts-expect-error -- not one of the three
  SessionAuthModule.forRoot({ secrets, fingerprint: { onMismatch: 'ignore' } }),
  // @ts-expect-error -- storage goes by provider, the one name is memory
  SessionAuthModule.forRoot({ secrets, storage: 'redis' }),
  // @ts-expect-error -- a class that finds no users
  SessionAuthModule.forRoot({ secrets, users: { useClass: Date } }),
  // @ts-expect-error -- what is fixed when the module is declared cannot come from the factory
  SessionAuthModule.forRootAsync({ useFactory: () => ({ secrets: 5 }) }),
  // @ts-expect-error -- no duration
  RequireRecentAuth('10 parsecs'),
  // @ts-expect-error -- nor here
  RequireFactor('totp', '10 parsecs'),
  // @ts-expect-error -- factors are named by texts
  RequireFactor([1]),
  // @ts-expect-error -- roles are texts
  Roles(1),
  // @ts-expect-error -- no client
  redisStorage({}),
];

holds<Same<Extract<SessionAuthErrorCode, 'csrf_failed' | 'no_such_code'>, 'csrf_failed'>>();

export function told(event: SessionEvent): string | undefined {
  if (event.type === 'session.destroyed') return event.reason;
  // @ts-expect-error -- only some events have a reason
  if (event.type === 'session.created') void event.reason;
  return event.type === 'remember_me.theft' ? String(event.revokedTokens) : undefined;
}

export async function tested(app: Parameters<typeof signInAs>[0]): Promise<void> {
  await signInAs<Cart>(app, { id: 7 }, { data: { items: ['tea'] } });
  // @ts-expect-error -- of another type than the application's data has
  await signInAs<Cart>(app, 'ada@example.com', { data: { items: 'tea' } });
}
