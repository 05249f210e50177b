import { EventEmitter, on } from 'node:events';
import { Inject, UseGuards } from '@nestjs/common';
import { Context, Field, Mutation, ObjectType, Query, ResolveField, Resolver, Subscription } from '@nestjs/graphql';
import {
  CurrentSession,
  CurrentUser,
  Public,
  Realm,
  RequireFactor,
  RequireFullAuth,
  RequireRecentAuth,
  Roles,
  SessionAuthGuard,
  SessionAuthService,
  type Session,
  type SessionUser,
} from 'nestjs-session-auth';

@ObjectType()
class News {
  @Field()
  text!: string;
}

type Event = [news: News];
const resolve = ([news]: Event): News => news;

/** The context of an operation over a WebSocket: of Apollo, and of Mercurius. */
type SocketContext = { readonly req: { readonly extra: { readonly request: object } } } | { readonly request: object };

function openingOf(context: SocketContext): object {
  return 'req' in context ? context.req.extra.request : context.request;
}

/** What the subscriptions of the tests are about. */
export class Feeds {
  readonly #events = new EventEmitter();
  /** How many subscriptions are running. */
  get running(): number {
    return this.#events.listenerCount('news');
  }

  /** The names of the handlers and field resolvers that ran. */
  readonly ran: string[] = [];
  /** Lets the handlers go on that wait. */
  readonly pauses: (() => void)[] = [];

  publish(text: string): void {
    this.#events.emit('news', { text });
  }

  subscribe(name: string): AsyncIterableIterator<Event> {
    this.ran.push(name);
    return on(this.#events, 'news') as AsyncIterableIterator<Event>;
  }

  note<T>(name: string, result: T): T {
    this.ran.push(name);
    return result;
  }

  pause(): Promise<void> {
    return new Promise((resolvePause) => this.pauses.push(resolvePause));
  }
}

/** A subscription for every kind of guard, and what shows how queries and mutations of a connection go. */
@Resolver(() => News)
export class FeedResolver {
  constructor(
    @Inject(Feeds) private readonly feeds: Feeds,
    @Inject(SessionAuthService) private readonly auth: SessionAuthService,
  ) {}

  @Subscription(() => News, { resolve })
  unmarkedNews(): AsyncIterableIterator<Event> {
    return this.feeds.subscribe('unmarkedNews');
  }

  @Public()
  @Subscription(() => News, { resolve })
  openNews(@CurrentSession('userId') userId?: string): AsyncIterableIterator<Event> {
    return this.feeds.subscribe(`openNews of ${userId ?? 'nobody'}`);
  }

  @UseGuards(SessionAuthGuard)
  @Subscription(() => News, { resolve })
  guardedNews(@CurrentSession() { userId }: Session): AsyncIterableIterator<Event> {
    return this.feeds.subscribe(`guardedNews of ${userId}`);
  }

  @UseGuards(SessionAuthGuard)
  @Subscription(() => News, { resolve })
  userNews(@CurrentUser() { id }: SessionUser): AsyncIterableIterator<Event> {
    return this.feeds.subscribe(`userNews of ${id}`);
  }

  @Roles('boss')
  @Subscription(() => News, { resolve })
  rolesNews(): AsyncIterableIterator<Event> {
    return this.feeds.subscribe('rolesNews');
  }

  @RequireRecentAuth('10m')
  @Subscription(() => News, { resolve })
  recentNews(): AsyncIterableIterator<Event> {
    return this.feeds.subscribe('recentNews');
  }

  @RequireFullAuth()
  @Subscription(() => News, { resolve })
  fullNews(): AsyncIterableIterator<Event> {
    return this.feeds.subscribe('fullNews');
  }

  @RequireFactor('totp')
  @Subscription(() => News, { resolve })
  factorNews(): AsyncIterableIterator<Event> {
    return this.feeds.subscribe('factorNews');
  }

  @Realm('staff')
  @UseGuards(SessionAuthGuard)
  @Subscription(() => News, { resolve })
  staffNews(@CurrentSession() { userId }: Session): AsyncIterableIterator<Event> {
    return this.feeds.subscribe(`staffNews of ${userId}`);
  }

  /** For whoever has the role at the event, whatever it was when the subscription began. */
  @UseGuards(SessionAuthGuard)
  @Subscription(() => News, {
    resolve,
    async filter(this: FeedResolver, _event: Event, _variables: object, context: SocketContext) {
      const session = await this.auth.current(openingOf(context));
      return session?.roles.includes('boss') === true;
    },
  })
  bossNews(): AsyncIterableIterator<Event> {
    return this.feeds.subscribe('bossNews');
  }

  @ResolveField(() => [String], { nullable: true })
  roles(@CurrentSession('roles') roles: string[] | undefined): string[] | undefined {
    return this.feeds.note('roles', roles);
  }

  @UseGuards(SessionAuthGuard)
  @ResolveField(() => String, { nullable: true })
  secret(): string {
    return this.feeds.note('secret', 'secret');
  }

  @Query(() => Boolean)
  async slow(): Promise<boolean> {
    this.feeds.note('slow', true);
    await this.feeds.pause();
    return true;
  }

  @Mutation(() => Boolean, { nullable: true })
  async slowAct(): Promise<boolean> {
    this.feeds.note('slowAct', true);
    await this.feeds.pause();
    return true;
  }

  @UseGuards(SessionAuthGuard)
  @Mutation(() => Boolean, { nullable: true })
  guardedAct(@CurrentSession('userId') userId: string): boolean {
    return this.feeds.note(`guardedAct of ${userId}`, true);
  }

  @UseGuards(SessionAuthGuard)
  @Query(() => String, { nullable: true })
  async leave(@Context() context: SocketContext): Promise<string> {
    await this.auth.logout(openingOf(context));
    return 'done';
  }
}

/** The same graph, schema first. */
export const FEED_TYPE_DEFS = /* GraphQL */ `
  type News {
    text: String!
    roles: [String!]
    secret: String
  }
  type Query {
    slow: Boolean!
    leave: String
  }
  type Mutation {
    slowAct: Boolean
    guardedAct: Boolean
  }
  type Subscription {
    unmarkedNews: News!
    openNews: News!
    guardedNews: News!
    userNews: News!
    rolesNews: News!
    recentNews: News!
    fullNews: News!
    factorNews: News!
    staffNews: News!
    bossNews: News!
  }
`;
