import { Injectable, Module, type INestApplication } from '@nestjs/common';
import { PassportSerializer } from '@nestjs/passport';
import flash from 'connect-flash';
import { RedisStore } from 'connect-redis';
import session from 'express-session';
import passport from 'passport';
import { UsersModule } from '../../quick-start/users.module.js';
import { UsersService, type User } from '../../quick-start/users.service.js';
import { visitLog } from '../../passport/visit-log.js';
import { LocalStrategy } from './local.strategy.js';
import { REDIS, RedisModule, type Redis } from './redis.module.js';
import { ShopController } from './shop.controller.js';

@Injectable()
export class UserSerializer extends PassportSerializer {
  constructor(private readonly users: UsersService) {
    super();
  }

  override serializeUser(user: User, done: (error: unknown, id: string) => void): void {
    done(null, user.id);
  }

  override deserializeUser(id: string, done: (error: unknown, user?: User) => void): void {
    this.users.findById(id).then((user) => done(null, user), done);
  }
}

/** Before: express-session, connect-redis, passport and connect-flash. */
@Module({
  imports: [UsersModule, RedisModule],
  controllers: [ShopController],
  providers: [LocalStrategy, UserSerializer],
})
export class ShopModule {}

export function configure(app: INestApplication): void {
  const store = new RedisStore({ client: app.get<Redis>(REDIS), prefix: 'sess:' });
  app.use(session({ store, secret: process.env['SESSION_SECRET']!, resave: false, saveUninitialized: false }));
  app.use(passport.initialize(), passport.session(), flash(), visitLog);
}
