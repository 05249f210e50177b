import {
  Controller,
  Get,
  Injectable,
  NotFoundException,
  Param,
  Sse,
  StreamableFile,
  UseGuards,
  UseInterceptors,
  type CallHandler,
  type ExecutionContext,
  type MessageEvent,
  type NestInterceptor,
} from '@nestjs/common';
import { CurrentSession, Public, SessionAuthGuard, type Session, type SessionAuthError } from 'nestjs-session-auth';
import { EventEmitter, once } from 'node:events';
import { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { concat, EMPTY, interval, map, merge, NEVER, Observable, of, startWith, throwError } from 'rxjs';

/** Streams of handlers that have a subscriber, by name. */
export const open = new Map<string, number>();

/** What handlers of long requests wait for; each call of `arrive` is something that they would answer. */
const arrivals = new EventEmitter().setMaxListeners(0);
export const arrive = (data: string): boolean => arrivals.emit('data', data);
/** How many of them wait. */
export const waiting = (): number => arrivals.listenerCount('data');

/** Holds handlers that were let in, until a test lets them go on. */
class Gate {
  readonly #opened = new EventEmitter();

  get held(): number {
    return this.#opened.listenerCount('open');
  }

  async pass(): Promise<void> {
    await once(this.#opened, 'open');
  }

  open(): void {
    this.#opened.emit('open');
  }
}
export const gate = new Gate();

/** Emits again and again until it is unsubscribed. */
function ticks(name: string): Observable<MessageEvent> {
  return new Observable((subscriber) => {
    open.set(name, (open.get(name) ?? 0) + 1);
    subscriber.add(() => open.set(name, open.get(name)! - 1));
    subscriber.add(
      interval(5)
        .pipe(
          startWith(-1),
          map((tick) => ({ type: 'tick', data: { name, tick }, retry: 50 })),
        )
        .subscribe(subscriber),
    );
  });
}

/** Adds events of its own for as long as the client is there, which keeps the response open. */
@Injectable()
export class Heartbeat implements NestInterceptor {
  intercept(_: ExecutionContext, next: CallHandler): Observable<unknown> {
    return merge(next.handle(), interval(5).pipe(map(() => ({ type: 'beat', data: 'beat' }))));
  }
}

/** Streams, long polls and downloads. */
@Controller('streams')
export class StreamController {
  @UseGuards(SessionAuthGuard)
  @Sse('guarded')
  guarded(): Observable<MessageEvent> {
    return ticks('guarded');
  }

  @UseGuards(SessionAuthGuard)
  @Sse('promised/:name')
  async promised(@Param('name') name: string, @CurrentSession() session: Session): Promise<Observable<MessageEvent>> {
    await pause(5);
    if (name === 'none') throw new NotFoundException();
    return concat(of({ data: { name, userId: session.userId } }), ticks('promised'));
  }

  @Public()
  @Sse('open')
  open(): Observable<MessageEvent> {
    return ticks('open');
  }

  @UseGuards(SessionAuthGuard)
  @UseInterceptors(Heartbeat)
  @Sse('beating')
  beating(): Observable<MessageEvent> {
    return ticks('beating');
  }

  @UseGuards(SessionAuthGuard)
  @Sse('short')
  short(): Observable<MessageEvent> {
    return of({ data: 'one' }, { data: 'two' });
  }

  @UseGuards(SessionAuthGuard)
  @Sse('failing')
  failing(): Observable<MessageEvent> {
    return concat(
      of({ data: 'one' }),
      new Observable<MessageEvent>((subscriber) => void gate.pass().then(() => subscriber.error(new Error('broken')))),
    );
  }

  /** Follows the session by itself as well. */
  @UseGuards(SessionAuthGuard)
  @Sse('aborted/:how')
  aborted(@Param('how') how: string, @CurrentSession('signal') signal: AbortSignal): Observable<MessageEvent> {
    const end = { error: throwError(() => signal.reason as SessionAuthError), complete: EMPTY, late: NEVER }[how]!;
    const events = new EventEmitter();
    signal.addEventListener('abort', () => events.emit('ended'));
    return merge(
      ticks('aborted'),
      new Observable<MessageEvent>((subscriber) => {
        events.once('ended', () => {
          subscriber.next({ data: 'after the end' });
          end.subscribe(subscriber);
        });
      }),
    );
  }

  @UseGuards(SessionAuthGuard)
  @Sse('disposed')
  disposed(): Observable<MessageEvent> {
    return new Observable(() => {
      open.set('disposed', 1);
      return () => {
        open.set('disposed', 0);
        throw new Error('a teardown that fails');
      };
    });
  }

  @UseGuards(SessionAuthGuard)
  @Get('poll')
  async poll(@CurrentSession() session: Session): Promise<object> {
    return { data: await nextArrival(session.signal) };
  }

  /** Asks for the signal late. */
  @UseGuards(SessionAuthGuard)
  @Get('late')
  async late(@CurrentSession() session: Session): Promise<object> {
    await gate.pass();
    return { data: await nextArrival(session.signal) };
  }

  @UseGuards(SessionAuthGuard)
  @Get('same')
  same(@CurrentSession() one: Session, @CurrentSession() other: Session): object {
    const { signal } = one;
    return { isSame: signal === other.signal && signal === one.signal, isAborted: signal.aborted };
  }

  @Public()
  @Get('open-poll')
  async openPoll(@CurrentSession() session: Session | undefined): Promise<object> {
    return { data: await nextArrival(session?.signal ?? new AbortController().signal) };
  }

  @UseGuards(SessionAuthGuard)
  @Get('fetched/:port')
  async fetched(@Param('port') port: string, @CurrentSession('signal') signal: AbortSignal): Promise<object> {
    const answer = await fetch(`http://127.0.0.1:${port}/`, { signal });
    return { text: await answer.text() };
  }

  @UseGuards(SessionAuthGuard)
  @Get('download')
  download(@CurrentSession('signal') signal: AbortSignal): StreamableFile {
    return new StreamableFile(Readable.from(pages(signal)));
  }
}

/** Without streams, whose nodes open the link when they start. */
@Controller('first')
export class FirstController {
  @UseGuards(SessionAuthGuard)
  @Get('poll')
  async poll(@CurrentSession() session: Session): Promise<object> {
    return { data: await nextArrival(session.signal) };
  }
}

async function nextArrival(signal: AbortSignal): Promise<string> {
  try {
    const [data] = (await once(arrivals, 'data', { signal })) as [string];
    return data;
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}

async function* pages(signal: AbortSignal): AsyncGenerator<string> {
  for (let page = 0; ; page += 1) {
    signal.throwIfAborted();
    yield `page ${page}\n`;
    await pause(5);
  }
}
