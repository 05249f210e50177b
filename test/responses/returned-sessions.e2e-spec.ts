import { afterEach, describe, expect, it } from '@jest/globals';
import {
  ClassSerializerInterceptor,
  Controller,
  Get,
  Inject,
  Injectable,
  Req,
  UseInterceptors,
  UsePipes,
  ValidationPipe,
  type CallHandler,
  type ExecutionContext,
  type INestApplication,
  type NestInterceptor,
  type PipeTransform,
} from '@nestjs/common';
import { APP_INTERCEPTOR, APP_PIPE, Reflector } from '@nestjs/core';
import { IsString } from 'class-validator';
import {
  CurrentSession,
  CurrentUser,
  Session,
  SessionAuthService,
  SessionLifecycleService,
  type SessionData,
  type SessionUser,
} from 'nestjs-session-auth';
import { map, type Observable } from 'rxjs';
import type { BankClient } from '../support/bank-client.js';
import { SERVERS, type ServerName } from '../support/bank.js';
import { closeApps, forRoot, start, Users, UsersModule, type Setup } from '../support/door-app.js';

/** What an application may call its user: with rules of its own. */
class User implements SessionUser {
  @IsString()
  readonly id!: string;
}

class LengthPipe implements PipeTransform<Session | undefined, number> {
  transform(session: Session | undefined): number {
    return session instanceof Session ? session.id.length : -1;
  }
}

@Controller('sessions')
class SessionsController {
  constructor(
    @Inject(SessionAuthService) private readonly auth: SessionAuthService,
    @Inject(SessionLifecycleService) private readonly lifecycle: SessionLifecycleService,
  ) {}

  @Get('own')
  own(@CurrentSession() session: Session): Session {
    return session;
  }

  @Get('nested')
  async nested(@Req() request: object): Promise<object> {
    const session = (await this.auth.current(request))!;
    return { data: { session, list: [session] } };
  }

  @Get('list')
  async list(@CurrentSession('userId') userId: string): Promise<readonly Session[]> {
    return (await this.lifecycle.list(userId)).sessions;
  }

  @UseInterceptors(ClassSerializerInterceptor)
  @Get('decorated')
  decorated(@CurrentSession() session: Session): Session {
    return session;
  }

  @UsePipes(new ValidationPipe({ transform: true, whitelist: true, validateCustomDecorators: true }))
  @Get('given')
  async given(
    @CurrentSession() session: Session<{ seen: boolean }>,
    @CurrentSession('id') id: string,
    @CurrentSession('createdAt') createdAt: Date,
    @CurrentSession(LengthPipe) length: number,
    @CurrentUser() user: User,
  ): Promise<object> {
    await session.update({ seen: true });
    return {
      isSession: session instanceof Session,
      id: session.id === id,
      seen: session.data.seen,
      createdAt: createdAt instanceof Date,
      length: length === id.length,
      user,
    };
  }

  @Get('visitor')
  visitor(@CurrentSession() session: Session | undefined, @CurrentSession('data') data?: SessionData): object {
    return { session: session === undefined, data: data === undefined };
  }
}

/** Rewrites whatever it can see of an answer, as many an application's does. */
@Injectable()
class RewritingInterceptor implements NestInterceptor {
  intercept(_: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(map(copyOf));
  }
}

function copyOf(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(copyOf);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, copyOf(each)]));
}

/** Trims every text in every object that it is given. */
@Injectable()
class TrimmingPipe implements PipeTransform {
  transform(value: unknown): unknown {
    if (typeof value === 'string') return value.trim();
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, this.transform(each)]));
  }
}

const validating = { transform: true, whitelist: true, forbidNonWhitelisted: true, validateCustomDecorators: true };

const SETUPS: readonly (readonly [what: string, setup: Setup])[] = [
  ['nothing global', {}],
  [
    'the class serializer for all',
    {
      configure: (app: INestApplication) =>
        app.useGlobalInterceptors(new ClassSerializerInterceptor(app.get(Reflector))),
    },
  ],
  [
    'the class serializer as a provider, with options',
    {
      module: {
        providers: [
          {
            provide: APP_INTERCEPTOR,
            inject: [Reflector],
            useFactory: (reflector: Reflector) =>
              new ClassSerializerInterceptor(reflector, { excludePrefixes: ['_'], exposeUnsetFields: false }),
          },
        ],
      },
    },
  ],
  [
    'an interceptor that rewrites answers',
    { configure: (app) => app.useGlobalInterceptors(new RewritingInterceptor()) },
  ],
  ['a strict ValidationPipe', { configure: (app) => app.useGlobalPipes(new ValidationPipe(validating)) }],
  [
    'a ValidationPipe that refuses what it does not know',
    { configure: (app) => app.useGlobalPipes(new ValidationPipe({ ...validating, forbidUnknownValues: true })) },
  ],
  ['a pipe that trims', { module: { providers: [{ provide: APP_PIPE, useClass: TrimmingPipe }] } }],
];

const CASES = SERVERS.flatMap((adapter) => SETUPS.map(([what, setup]) => ({ adapter, what, setup })));

afterEach(closeApps);

describe.each(CASES)('a session in a handler on $adapter, with $what', ({ adapter, setup }) => {
  const open = (server: ServerName): Promise<BankClient> =>
    start(forRoot({ imports: [UsersModule], users: { useExisting: Users } }), {
      ...setup,
      adapter: server,
      module: { ...setup.module, controllers: [SessionsController] },
    });

  it('is sent as its JSON, alone, nested and in lists, and shows nothing else', async () => {
    const client = await open(adapter);
    await client.get('/enter');
    const { csrfToken: _, ...view } = (await client.get('/auth/session')).json as Record<string, unknown>;
    expect(Object.keys(view)).toEqual(expect.arrayContaining(['id', 'userId', 'roles', 'createdAt', 'expiresAt']));
    expect((await client.get('/sessions/own')).json).toEqual(view);
    expect((await client.get('/sessions/decorated')).json).toEqual(view);
    expect((await client.get('/sessions/nested')).json).toEqual({ data: { session: view, list: [view] } });
    expect((await client.get('/sessions/list')).json).toEqual([view]);
  });

  it('is passed by @CurrentSession() unchanged by any pipes, and so is the user', async () => {
    const client = await open(adapter);
    expect((await client.get('/sessions/visitor')).json).toEqual({ session: true, data: true });
    await client.get('/enter');
    expect(await client.get('/sessions/given')).toMatchObject({
      status: 200,
      json: {
        isSession: true,
        id: true,
        seen: true,
        createdAt: true,
        length: true,
        user: { id: 'alice', email: 'alice@example.com', roles: ['customer'] },
      },
    });
  });
});
