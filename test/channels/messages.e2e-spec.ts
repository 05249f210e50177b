import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Inject, UseGuards, type INestApplicationContext, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientProxyFactory, MessagePattern, Transport, type MicroserviceOptions } from '@nestjs/microservices';
import {
  CsrfProtected,
  CurrentSession,
  CurrentUser,
  Public,
  Realm,
  RequireFullAuth,
  Roles,
  SessionAuthGuard,
  SessionAuthModule,
  SessionAuthService,
  type SessionAuthExtras,
} from 'nestjs-session-auth';
import { createServer, type AddressInfo } from 'node:net';
import { lastValueFrom } from 'rxjs';
import { logger, options } from '../support/door-app.js';

const ran: string[] = [];
const note = (name: string): string => {
  ran.push(name);
  return name;
};

@Controller()
class MessageDoors {
  constructor(@Inject(SessionAuthService) private readonly auth: SessionAuthService) {}

  @MessagePattern('unmarked')
  unmarked(): string {
    return note('unmarked');
  }

  @Public()
  @MessagePattern('public')
  public(@CurrentSession() session: unknown): string {
    return note(`public ${String(session)}`);
  }

  @UseGuards(SessionAuthGuard)
  @MessagePattern('guarded')
  guarded(): string {
    return note('guarded');
  }

  @Roles('boss')
  @MessagePattern('roles')
  roles(): string {
    return note('roles');
  }

  @RequireFullAuth()
  @Public()
  @MessagePattern('full')
  full(): string {
    return note('full');
  }

  @CsrfProtected()
  @Public()
  @MessagePattern('csrf')
  csrf(): string {
    return note('csrf');
  }

  @Public()
  @MessagePattern('user')
  user(@CurrentUser() _user: unknown): string {
    return note('user');
  }

  @Public()
  @MessagePattern('service')
  async service(): Promise<string> {
    await this.auth.rolesChanged('alice', [5] as never);
    return note('service');
  }

  @Realm('staff')
  @MessagePattern('staff')
  staff(): string {
    return note('staff');
  }
}

const REFUSED = { code: 'session_required', message: expect.any(String) };
const INVALID = { code: 'invalid_user', message: 'Internal server error' };
const KINDS = ['microservice', 'hybrid with inheritAppConfig', 'hybrid'] as const;
type Kind = (typeof KINDS)[number];

const running: { close(): Promise<unknown> | void }[] = [];

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Starts the application with both realms. Returns what sends it a message. */
async function start(
  kind: Kind,
  given: Partial<Record<'default' | 'staff', Partial<SessionAuthExtras>>> = {},
  controllers: Type[] = [MessageDoors],
): Promise<(pattern: string) => Promise<unknown>> {
  class Root {}
  const imports = [
    SessionAuthModule.forRoot(options({ ...given.default })),
    SessionAuthModule.forRoot(options({ realm: 'staff', ...given.staff })),
  ];
  const root = { module: Root, imports, controllers };
  const transport = { transport: Transport.TCP as const, options: { host: '127.0.0.1', port: await freePort() } };
  let app: INestApplicationContext;
  if (kind === 'microservice') {
    const made = await NestFactory.createMicroservice<MicroserviceOptions>(root, { ...transport, logger });
    await made.listen();
    app = made;
  } else {
    const made = await NestFactory.create(root, { logger });
    made.connectMicroservice(transport, { inheritAppConfig: kind !== 'hybrid' });
    await made.startAllMicroservices();
    await made.listen(0, '127.0.0.1');
    app = made;
  }
  const client = ClientProxyFactory.create(transport);
  running.push(client, app);
  return (pattern) => lastValueFrom(client.send<unknown>(pattern, {}));
}

describe.each(KINDS)('messages of a %s', (kind) => {
  afterEach(async () => {
    ran.splice(0);
    for (const each of running.splice(0)) await each.close();
  });

  it.each(['guarded', 'roles', 'full', 'user'])(
    'are refused with a code if a session is required: %s',
    async (door) => {
      const send = await start(kind);
      await expect(send(door)).rejects.toEqual(REFUSED);
      expect(ran).toEqual([]);
    },
  );

  it('run if no session is required, and need no CSRF token', async () => {
    const send = await start(kind);
    expect(await send('unmarked')).toBe('unmarked');
    expect(await send('public')).toBe('public undefined');
    expect(await send('csrf')).toBe('csrf');
    expect(await send('staff')).toBe('staff');
  });

  it('are refused by a global guard of their realm, unless they are @Public()', async () => {
    const send = await start(kind, { default: { global: true } });
    for (const door of ['unmarked', 'guarded']) await expect(send(door)).rejects.toEqual(REFUSED);
    expect(await send('public')).toBe('public undefined');
    expect(await send('staff')).toBe('staff');
    expect(ran).toEqual(['public undefined', 'staff']);
  });

  it('are refused by the global guard of another realm only there', async () => {
    const send = await start(kind, { staff: { global: true } });
    await expect(send('staff')).rejects.toEqual(REFUSED);
    expect(await send('unmarked')).toBe('unmarked');
  });

  it('of an application are not guarded by another one that had the same controllers', async () => {
    await start(kind, { default: { global: true } });
    for (const each of running.splice(0)) await each.close();
    const send = await start(kind);
    expect(await send('unmarked')).toBe('unmarked');
  });

  // Nest asks no global filter for messages of a hybrid application
  const answered = kind === 'hybrid' ? { status: 'error', message: 'Internal server error' } : INVALID;
  it('whose handlers call a service that refuses get its code, if Nest uses global filters', async () => {
    const send = await start(kind);
    await expect(send('service')).rejects.toEqual(answered);
  });
});
