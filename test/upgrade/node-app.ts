import { Controller, Get, Inject, Injectable, Module, Param, Post, Query, Req, UseGuards } from '@nestjs/common';
import type { INestApplication, LogLevel, ModuleMetadata } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  CsrfProtected,
  CurrentSession,
  SessionAuthGuard,
  SessionAuthModule,
  SessionAuthService,
  SessionCleanupService,
  SessionLifecycleService,
  type Session,
  type SessionAuthOptions,
  type SessionUser,
  type SessionUserProvider,
  type StorageOptions,
} from 'nestjs-session-auth';

/*
 * An application that runs on the library of this version and on packed ones of before: what it imports is in all of
 * them. So the realm of before has its routes without @Realm.
 */

/** bcrypt of `PASSWORD` of the tests' realms, cost 4. */
const PASSWORD_HASH = '$2b$04$hQsFEDCM/327yrPqAQfw3OcIHFQNJiIIZrfyab1abIOGaWtWBZbSu';

/** The options that all nodes have in common; each request is a touch, and due for a new token. */
export const OPTIONS = {
  secrets: ['a test secret that everybody may know, 1'],
  passwords: { cost: 4 },
  lifetime: { rotateEvery: 1, touchInterval: 0 },
  concurrency: 3,
} as const satisfies SessionAuthOptions;

/** Knows whoever asks: the id is what stands before the @ of the address. */
@Injectable()
export class AnybodyUsers implements SessionUserProvider {
  findByEmail(email: string): Promise<SessionUser | undefined> {
    return this.findById(email.split('@')[0]!);
  }

  findById(id: string): Promise<SessionUser | undefined> {
    return Promise.resolve(userOf(id));
  }
}

const userOf = (id: string): SessionUser => ({ id, roles: ['customer'], passwordHash: PASSWORD_HASH });

@Controller('room/default')
class RoomController {
  constructor(@Inject(SessionAuthService) private readonly auth: SessionAuthService) {}

  /** Signs anybody in, without a password or CSRF token. */
  @Get('enter')
  async enter(@Req() request: object, @Query('id') id: string, @Query('remember') remember?: string): Promise<void> {
    await this.auth.loginUser(request, userOf(id), 'custom', { rememberMe: remember === 'yes' });
  }

  @UseGuards(SessionAuthGuard)
  @Get('me')
  me(@CurrentSession() { id, userId, roles, data }: Session): object {
    return { id, userId, roles, data };
  }

  @UseGuards(SessionAuthGuard)
  @Get('save')
  async save(@CurrentSession() session: Session, @Query() values: Record<string, string>): Promise<object> {
    await session.update(values);
    return session.data;
  }

  @CsrfProtected()
  @UseGuards(SessionAuthGuard)
  @Post('act')
  act(@CurrentSession('userId') by: string): object {
    return { by };
  }
}

/** What the application's back end does about a user. */
@Controller('services')
class ServicesController {
  constructor(
    @Inject(SessionAuthService) private readonly auth: SessionAuthService,
    @Inject(SessionLifecycleService) private readonly sessions: SessionLifecycleService,
    @Inject(SessionCleanupService) private readonly cleanup: SessionCleanupService,
  ) {}

  @Get(':call')
  async run(@Param('call') call: string, @Query('id') id: string): Promise<object> {
    if (call === 'list') return (await this.sessions.list(id)).sessions.map((session) => session.id).sort();
    if (call === 'revokeAll') return { revoked: await this.sessions.revokeAll(id) };
    if (call === 'credentialsChanged') return this.auth.credentialsChanged(id);
    if (call === 'accountDisabled') return this.auth.accountDisabled(id);
    if (call === 'rolesChanged') return this.auth.rolesChanged(id, ['boss']);
    if (call === 'exportUser') return this.sessions.exportUser(id);
    if (call === 'eraseUser') return this.sessions.eraseUser(id);
    if (call === 'cleanup') return this.cleanup.run();
    throw new Error(call);
  }
}

@Module({})
class NodeModule {}

/** Starts a node on a free port. */
export async function startNode(
  storage: StorageOptions,
  { imports = [], controllers = [] }: Pick<ModuleMetadata, 'imports' | 'controllers'> = {},
  logger: LogLevel[] = ['error'],
): Promise<{ readonly app: INestApplication; readonly port: number }> {
  const sessions = SessionAuthModule.forRoot({ ...OPTIONS, storage, users: { useClass: AnybodyUsers } });
  const root = {
    module: NodeModule,
    imports: [sessions, ...imports],
    controllers: [RoomController, ServicesController, ...controllers],
  };
  const app = await NestFactory.create(root, { logger, abortOnError: false });
  await app.listen(0, '127.0.0.1');
  return { app, port: Number(new URL(await app.getUrl()).port) };
}
