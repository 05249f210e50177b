import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  Controller,
  Injectable,
  Param,
  Scope,
  Sse,
  UseGuards,
  UseInterceptors,
  VERSION_NEUTRAL,
  Version,
  VersioningType,
  type CallHandler,
  type ExecutionContext,
  type INestApplication,
  type MessageEvent,
  type NestInterceptor,
} from '@nestjs/common';
import { RouterModule } from '@nestjs/core';
import {
  CurrentSession,
  Public,
  Realm,
  realmToken,
  SessionAuthGuard,
  SessionAuthModule,
  SessionLifecycleService,
} from 'nestjs-session-auth';
import { signInAs } from 'nestjs-session-auth/testing';
import { interval, map, Observable } from 'rxjs';
import { ADAPTERS, openBackend } from '../support/bank.js';
import { apps, closeApps, forRoot, log, options, start } from '../support/door-app.js';
import { EventStream } from '../support/event-stream.js';

const ALICE = { id: 'alice' };
const ENDED = { type: 'session_ended', data: '{"code":"session_ended","endReason":"revoked"}' };

const events = (data: string): Observable<MessageEvent> => interval(5).pipe(map(() => ({ data })));

/** As applications write it: events pass whatever their type is. */
@Injectable()
class Marking implements NestInterceptor {
  intercept(_: ExecutionContext, next: CallHandler<MessageEvent>): Observable<MessageEvent> {
    return next.handle().pipe(map((event) => ({ ...event, id: 'marked' })));
  }
}

@UseGuards(SessionAuthGuard)
@Controller('plain')
class Plain {
  @Sse('events')
  events(): Observable<MessageEvent> {
    return events('plain');
  }

  @Sse('rooms/:room')
  room(@Param('room') room: string, @CurrentSession('userId') userId: string, more = 'more'): Observable<MessageEvent> {
    return events(`${room} ${userId} ${more}`);
  }
}

/** Has the handlers of another controller, and one that calls it. */
@Controller('derived')
class Derived extends Plain {
  @Sse('louder/:room')
  louder(@Param('room') room: string, @CurrentSession('userId') userId: string): Observable<MessageEvent> {
    return super.room(room.toUpperCase(), userId, 'louder').pipe(map((event) => event));
  }

  @Sse('events')
  override events(): Observable<MessageEvent> {
    return super.events().pipe(map(({ data }) => ({ data: `derived ${data as string}` })));
  }
}

@Injectable({ scope: Scope.REQUEST })
class Visit {
  readonly name = 'visit';
}

@UseInterceptors(Marking)
@UseGuards(SessionAuthGuard)
@Controller({ path: 'scoped', scope: Scope.REQUEST })
class Scoped {
  readonly #visit: Visit;

  constructor(visit: Visit) {
    this.#visit = visit;
  }

  @UseInterceptors(Marking)
  @Sse('events')
  events(): Observable<MessageEvent> {
    return events(this.#visit.name);
  }
}

@UseGuards(SessionAuthGuard)
@Controller('versioned')
class Versioned {
  @Version('2')
  @Sse('events')
  events(): Observable<MessageEvent> {
    return events('version 2');
  }
}

@Realm('staff')
@Controller({ path: 'staff', version: VERSION_NEUTRAL })
class Staff {
  @UseGuards(SessionAuthGuard)
  @Sse('events')
  events(): Observable<MessageEvent> {
    return events('staff');
  }

  @Realm('staff', 'default')
  @Public()
  @Sse('either')
  either(): Observable<MessageEvent> {
    return events('either');
  }
}

class Inner {}

describe.each(ADAPTERS)('a stream ends with its session on %s', (adapter) => {
  let app: INestApplication;
  let port: number;
  const streams: EventStream[] = [];

  beforeEach(async () => {
    const inner = { module: Inner, controllers: [Versioned, Scoped], providers: [Visit] };
    const staff = SessionAuthModule.forRoot(options({ realm: 'staff' }));
    const client = await start(forRoot(), {
      adapter,
      module: {
        imports: [staff, inner, RouterModule.register([{ path: 'inner', module: Inner }])],
        controllers: [Plain, Derived, Staff],
      },
      configure: (made) => {
        made.enableVersioning({ type: VersioningType.URI, defaultVersion: VERSION_NEUTRAL });
        made.setGlobalPrefix('api');
        made.useGlobalInterceptors(new Marking());
      },
    });
    app = apps[0]!;
    port = client.port as number;
  });

  afterEach(async () => {
    for (const stream of streams.splice(0)) stream.close();
    await closeApps();
  });

  const open = async (path: string, realm?: string): Promise<EventStream> => {
    const { cookie } = await signInAs(app, ALICE, { realm });
    const stream = await EventStream.open(port, `/api/${path}`, cookie);
    streams.push(stream);
    await stream.flows();
    return stream;
  };
  const endAll = (realm = 'default'): Promise<number> =>
    app.get<SessionLifecycleService>(realmToken(realm, SessionLifecycleService)).revokeAll('alice');

  it.each([
    ['plain/events', 'plain'],
    ['plain/rooms/one', 'one alice more'],
    ['derived/events', 'derived plain'],
    ['derived/rooms/one', 'one alice more'],
    ['derived/louder/one', 'ONE alice louder'],
    ['inner/scoped/events', 'visit'],
    ['v2/inner/versioned/events', 'version 2'],
  ])('whoever declares its handler, and however it is mapped: %s', async (path, data) => {
    const stream = await open(path);
    expect(stream.events[0]).toEqual({ type: 'message', data });
    await endAll();
    expect([await stream.last(), stream.state]).toEqual([ENDED, 'complete']);
  });

  it('in its own realm, and not with that of another', async () => {
    const [staff, both, customer] = [
      await open('staff/events', 'staff'),
      await open('staff/either', 'staff'),
      await open('staff/either'),
    ];
    await endAll();
    expect(await customer.last()).toEqual(ENDED);
    for (const stream of [staff, both]) await stream.flows();
    await endAll('staff');
    for (const stream of [staff, both]) expect(await stream.last()).toEqual(ENDED);
  });
});

describe('without a link', () => {
  afterEach(closeApps);

  it('one warning names the handlers and what to set, and streams go on', async () => {
    const backend = await openBackend('redis');
    const client = await start(forRoot({ storage: backend.storage }), { module: { controllers: [Plain, Derived] } });
    const [app] = apps;
    const { cookie } = await signInAs(app!, ALICE);
    const stream = await EventStream.open(client.port as number, '/plain/events', cookie);
    await stream.flows();
    await app!.get(SessionLifecycleService).revokeAll('alice');
    await stream.flows(100);
    expect(stream.state).toBe('open');
    const warnings = log.filter(({ level }) => level === 'warn');
    expect(warnings).toHaveLength(1);
    expect(warnings[0]!.text).toContain('Plain.events, Plain.room, Derived.louder, Derived.events');
    expect(warnings[0]!.text).toContain('link: true');
    stream.close();
    await closeApps();
    await backend.close();
  });

  it('nothing is said where there are no streams', async () => {
    const backend = await openBackend('redis');
    await start(forRoot({ storage: backend.storage }));
    expect(log.filter(({ level }) => level === 'warn')).toEqual([]);
    await closeApps();
    await backend.close();
  });
});
