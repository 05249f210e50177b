import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { Module } from '@nestjs/common';
import { GraphQLModule } from '@nestjs/graphql';
import { SessionAuthModule } from 'nestjs-session-auth';
import { connectSession } from 'nestjs-session-auth/graphql';
import { UsersService } from '../quick-start/users.service.js';
import { AccountResolver } from './account.resolver.js';
import { SignInResolver } from './sign-in.resolver.js';

const secrets = [process.env['SESSION_SECRET']!];

@Module({
  imports: [
    SessionAuthModule.forRoot({
      secrets,
      users: { useClass: UsersService },
      global: true,
      csrf: { global: true },
    }),
    GraphQLModule.forRoot<ApolloDriverConfig>({
      driver: ApolloDriver,
      autoSchemaFile: true,
      context: ({ req, res }: { req: object; res: object }) => ({ req, res }),
      subscriptions: { 'graphql-ws': { onConnect: connectSession() } },
    }),
  ],
  providers: [AccountResolver, SignInResolver],
})
export class AppModule {}
