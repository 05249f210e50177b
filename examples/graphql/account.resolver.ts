import { EventEmitter, on } from 'node:events';
import { Args, Field, Int, Mutation, ObjectType, Query, ResolveField, Resolver, Subscription } from '@nestjs/graphql';
import { CurrentSession, CurrentUser, RequireRecentAuth, type Session, type SessionUser } from 'nestjs-session-auth';

@ObjectType()
export class Account {
  @Field(() => Int)
  balance!: number;
}

@Resolver(() => Account)
export class AccountResolver {
  private balance = 100;
  private readonly events = new EventEmitter();

  @Query(() => Account)
  account(): Account {
    return { balance: this.balance };
  }

  @ResolveField(() => String)
  owner(@CurrentUser() user: SessionUser): string {
    return user.email!;
  }

  @RequireRecentAuth('10m')
  @Mutation(() => Account)
  transfer(@Args('amount', { type: () => Int }) amount: number, @CurrentSession() session: Session): Account {
    this.balance -= session.userId === undefined ? 0 : amount;
    const account = { balance: this.balance };
    this.events.emit('change', account);
    return account;
  }

  @Subscription(() => Account, { resolve: ([account]: [Account]) => account })
  accountChanged(): AsyncIterableIterator<unknown[]> {
    return on(this.events, 'change');
  }
}
