import {
  Body,
  CanActivate,
  Controller,
  ExecutionContext,
  Get,
  HttpCode,
  Module,
  Post,
  Req,
  UseGuards,
  type INestApplication,
} from '@nestjs/common';
import session from 'express-session';
import { createExpressApp } from './nest-app.ts';
import { sessionPayload } from './session-payload.ts';
import type { ServerSpec, StoreAddresses } from './server-spec.ts';

interface SessionRequest {
  readonly session: {
    userId?: string;
    regenerate(done: (error?: Error) => void): void;
    destroy(done: (error?: Error) => void): void;
  };
}

class HasUserGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return context.switchToHttp().getRequest<SessionRequest>().session.userId !== undefined;
  }
}

@Controller()
class ExpressSessionController {
  @Get('me')
  @UseGuards(HasUserGuard)
  me(@Req() { session: { userId } }: SessionRequest): object {
    return { userId };
  }

  @Post('login')
  async login(@Req() request: SessionRequest, @Body('user') user: string): Promise<object> {
    await settled((done) => request.session.regenerate(done));
    Object.assign(request.session, sessionPayload(user));
    return {};
  }

  @Post('logout')
  @HttpCode(204)
  logout(@Req() request: SessionRequest): Promise<void> {
    return settled((done) => request.session.destroy(done));
  }
}

@Module({ controllers: [ExpressSessionController] })
class ExpressSessionModule {}

/** `express-session` with the store asked for, each as its README sets it up. */
export async function open({ store }: ServerSpec, addresses: StoreAddresses): Promise<INestApplication> {
  const app = await createExpressApp(ExpressSessionModule);
  app.use(
    session({
      secret: 'the secret of a benchmark, of more than 32 bytes',
      resave: false,
      saveUninitialized: false,
      ...(await storeOf(store, addresses)),
    }),
  );
  return app;
}

async function storeOf(store: ServerSpec['store'], { redisUrl, databaseUrl }: StoreAddresses): Promise<object> {
  if (store === 'redis') {
    const { RedisStore } = await import('connect-redis');
    const { createClient } = await import('redis');
    const client = createClient({ url: redisUrl });
    await client.connect();
    return { store: new RedisStore({ client, prefix: 'myapp:' }) };
  }
  if (store === 'postgres') {
    const { default: connectPgSimple } = await import('connect-pg-simple');
    const { default: pg } = await import('pg');
    const PgStore = connectPgSimple(session);
    return {
      store: new PgStore({ pool: new pg.Pool({ connectionString: databaseUrl }), createTableIfMissing: true }),
      cookie: { maxAge: 30 * 24 * 60 * 60 * 1000 },
    };
  }
  return {};
}

function settled(work: (done: (error?: Error) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => work((error) => (error ? reject(error) : resolve())));
}
