import { Body, Controller, Get, Module, Post, Redirect, Req, UseGuards, type MiddlewareConsumer } from '@nestjs/common';
import flash from 'connect-flash';
import type { Request } from 'express';
import {
  CsrfProtected,
  CurrentSession,
  CurrentUser,
  SessionAuthError,
  SessionAuthGuard,
  SessionAuthService,
  type Session,
} from 'nestjs-session-auth';
import { PassportCompatModule, SessionPassport } from 'nestjs-session-auth/passport';
import { visitLog } from '../../passport/visit-log.js';
import { UsersModule } from '../../quick-start/users.module.js';
import type { User } from '../../quick-start/users.service.js';
import { AccountController, sessions } from './beside.js';

interface Cart {
  cart: string[];
}

/** Step 3: guards, decorators and `session.update`. What is left of passport is the message of connect-flash. */
@Controller()
export class ShopController {
  constructor(private readonly auth: SessionAuthService) {}

  @Get('login')
  form(@Req() request: Request): object {
    return { messages: request.flash('error') };
  }

  @CsrfProtected()
  @Post('login')
  @Redirect()
  async login(@Req() request: Request, @Body() body: { email: string; password: string }): Promise<{ url: string }> {
    try {
      await this.auth.login(request, body);
      return { url: '/cart' };
    } catch (error) {
      if (!(error instanceof SessionAuthError) || error.code !== 'invalid_credentials') throw error;
      request.flash('error', 'Wrong e-mail or password');
      return { url: '/login' };
    }
  }

  @UseGuards(SessionAuthGuard)
  @Get('cart')
  cart(@CurrentUser() { email }: User, @CurrentSession() { data }: Session<Cart>): object {
    return { user: email, items: data.cart ?? [] };
  }

  @CsrfProtected()
  @UseGuards(SessionAuthGuard)
  @Post('cart')
  async add(@CurrentSession() session: Session<Cart>, @Body('item') item: string): Promise<void> {
    await session.update({ cart: [...(session.data.cart ?? []), item] });
  }

  @CsrfProtected()
  @Post('logout')
  @Redirect('/login')
  async logout(@Req() request: Request): Promise<void> {
    await this.auth.logout(request);
  }
}

@Module({
  imports: [UsersModule, sessions, PassportCompatModule.register({ requestUser: 'user' })],
  controllers: [ShopController, AccountController],
})
export class ShopModule {
  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(SessionPassport, flash()).forRoutes('login');
    consumer.apply(SessionPassport, visitLog).forRoutes('cart');
  }
}
