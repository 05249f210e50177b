import 'reflect-metadata';
import { Inject, UseGuards } from '@nestjs/common';
import { Context, Field, Mutation, ObjectType, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import {
  CsrfProtected,
  CsrfService,
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
import { PASSWORD } from './realm-app.js';

/** The names of the handlers that ran. */
export const ran: string[] = [];

function note<T>(name: string, result: T): T {
  ran.push(name);
  return result;
}

interface Operation {
  readonly req: object;
}

@ObjectType()
class Account {
  @Field()
  id!: string;
}

/** A door for every kind of guard. */
@Resolver(() => Account)
export class DoorResolver {
  constructor(
    @Inject(SessionAuthService) private readonly auth: SessionAuthService,
    @Inject(CsrfService) private readonly csrf: CsrfService,
  ) {}

  @Query(() => String)
  unmarked(): string {
    return note('unmarked', 'anybody');
  }

  @Public()
  @Query(() => String, { nullable: true })
  open(@CurrentSession('userId') userId: string | undefined): string | undefined {
    return note('open', userId);
  }

  @UseGuards(SessionAuthGuard)
  @Query(() => String, { nullable: true })
  guarded(@CurrentSession() session: Session): string | undefined {
    return note('guarded', session.userId);
  }

  @Roles('boss')
  @Query(() => String, { nullable: true })
  roles(): string {
    return note('roles', 'boss');
  }

  @RequireRecentAuth('10m')
  @Query(() => String, { nullable: true })
  recent(): string {
    return note('recent', 'recent');
  }

  @RequireFullAuth()
  @Query(() => String, { nullable: true })
  full(): string {
    return note('full', 'full');
  }

  @RequireFactor('totp')
  @Query(() => String, { nullable: true })
  factor(): string {
    return note('factor', 'totp');
  }

  @Query(() => String, { nullable: true })
  user(@CurrentUser() { id }: SessionUser): string {
    return note('user', String(id));
  }

  @CsrfProtected()
  @Mutation(() => String, { nullable: true })
  act(@CurrentSession('userId') userId: string | undefined): string {
    return note('act', userId ?? 'nobody');
  }

  @Mutation(() => String, { nullable: true })
  actUnmarked(): string {
    return note('actUnmarked', 'done');
  }

  @Public()
  @Mutation(() => String, { nullable: true })
  async enter(@Context() { req }: Operation): Promise<string> {
    const { user } = await this.auth.login(req, { email: 'alice@example.com', password: PASSWORD });
    return note('enter', String(user.id));
  }

  @Public()
  @Mutation(() => String, { nullable: true })
  async leave(@Context() { req }: Operation): Promise<string> {
    await this.auth.logout(req);
    return note('leave', 'done');
  }

  @Public()
  @Query(() => String)
  token(@Context() { req }: Operation): string {
    return this.csrf.issue(req);
  }

  /** A service of ours that refuses. */
  @Public()
  @Query(() => String, { nullable: true })
  async rotate(@Context() { req }: Operation): Promise<string> {
    await this.auth.rotate(req);
    return note('rotate', 'done');
  }

  @Public()
  @Query(() => Account)
  account(): Account {
    return { id: '1' };
  }

  @ResolveField(() => String, { nullable: true })
  viewer(@Parent() _account: Account, @CurrentSession('userId') userId: string | undefined): string | undefined {
    return note('viewer', userId);
  }

  @ResolveField(() => String, { nullable: true })
  owner(@CurrentUser() { id }: SessionUser): string {
    return note('owner', String(id));
  }

  @UseGuards(SessionAuthGuard)
  @ResolveField(() => String, { nullable: true })
  secret(): string {
    return note('secret', 'secret');
  }

  @ResolveField(() => String, { nullable: true })
  async broken(@Context() { req }: Operation): Promise<string> {
    await this.auth.rotate(req);
    return note('broken', 'done');
  }
}

/** The doors of other realms. */
@Resolver(() => Account)
export class RealmDoorResolver {
  @Realm('staff')
  @UseGuards(SessionAuthGuard)
  @Query(() => String, { nullable: true })
  staff(@CurrentSession() session: Session): string {
    return note('staff', session.realm);
  }

  @Realm('staff', 'partner')
  @UseGuards(SessionAuthGuard)
  @Query(() => String, { nullable: true })
  either(@CurrentSession() session: Session): string {
    return note('either', session.realm);
  }

  @Realm('partner', 'staff')
  @Query(() => String, { nullable: true })
  other(@CurrentSession('realm') realm: string | undefined): string | undefined {
    return note('other', realm);
  }

  @Realm('partner', 'staff')
  @CsrfProtected()
  @Mutation(() => String, { nullable: true })
  actAsEither(@CurrentSession('realm') realm: string | undefined): string | undefined {
    return note('actAsEither', realm);
  }

  @Realm('staff')
  @ResolveField(() => String, { nullable: true })
  clerk(@CurrentSession('userId') userId: string | undefined): string | undefined {
    return note('clerk', userId);
  }
}

/** The same graph, schema first. */
export const TYPE_DEFS = /* GraphQL */ `
  type Account {
    id: String!
    viewer: String
    owner: String
    secret: String
    broken: String
    clerk: String
  }
  type Query {
    unmarked: String!
    open: String
    guarded: String
    roles: String
    recent: String
    full: String
    factor: String
    user: String
    token: String!
    rotate: String
    account: Account!
    staff: String
    either: String
    other: String
  }
  type Mutation {
    act: String
    actUnmarked: String
    enter: String
    leave: String
    actAsEither: String
  }
`;
